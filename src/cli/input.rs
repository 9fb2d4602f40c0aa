use std::fs;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, ImageResult, Limits};
use safetensors::{Dtype, SafeTensors};

use super::error::CliError;
use crate::graph::{Shape, Tensor};
use crate::vision::{Preprocess, Resizer, RgbImage, SIDES, denormalise, normalise};

/// Of a decoded image: a photograph of 200 million pixels has 600 MB.
const MOST_BYTES: u64 = 1 << 30;

/// What the network is to see.
pub struct Input {
    /// `[3, H, W]`, normalised.
    pub tensor: Tensor,
    /// The same as a picture, to lay heat maps over.
    pub picture: RgbImage,
}

/// Decodes an image, turns it upright as its EXIF data says, resizes, crops and normalises it.
pub fn from_image(path: &Path, preprocess: &Preprocess) -> Result<Input, CliError> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(CliError::read(path))?;
    let not_an_image = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => CliError::TooLarge { path: path.into(), megabytes: MOST_BYTES >> 20 },
        error => CliError::NotAnImage { path: path.into(), why: error.to_string() },
    };
    let rgba = decode(reader).map_err(not_an_image)?.into_rgba8();
    let square = || {
        let mut resizer = Resizer::new(rgba.width() as usize, rgba.height() as usize, preprocess)?;
        resizer.push_rows(rgba.as_raw())?;
        resizer.finish()
    };
    let picture = square().map_err(|source| CliError::Image { path: path.into(), source })?;
    Ok(Input { tensor: normalise(&picture, preprocess), picture })
}

fn decode(reader: ImageReader<impl std::io::BufRead + std::io::Seek>) -> ImageResult<DynamicImage> {
    let mut decoder = reader.into_decoder()?;
    // A small file can claim to be huge.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Reads an input that is already normalised: tensor `input` of a safetensors file, F32,
/// `[1, 3, H, W]` or `[3, H, W]`.
pub fn from_tensor(path: &Path, preprocess: &Preprocess) -> Result<Input, CliError> {
    let bytes = fs::read(path).map_err(CliError::read(path))?;
    let tensor = parse_tensor(&bytes).map_err(|why| CliError::Input { path: path.into(), why })?;
    Ok(Input { picture: denormalise(&tensor, preprocess), tensor })
}

fn parse_tensor(bytes: &[u8]) -> Result<Tensor, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let view = file.tensor("input").map_err(|_| "it has no tensor `input`".to_string())?;
    let shape = match *view.shape() {
        [1, 3, height, width] | [3, height, width] if SIDES.contains(&height) && SIDES.contains(&width) => {
            Shape::new(3, height, width)
        }
        ref shape => {
            let (low, high) = (SIDES.start(), SIDES.end());
            return Err(format!("its shape is {shape:?}, expected [1, 3, H, W] with H and W from {low} to {high}"));
        }
    };
    if view.dtype() != Dtype::F32 {
        return Err(format!("it is stored as {:?}, expected F32", view.dtype()));
    }
    let (values, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(Tensor::new(shape, values)),
        false => Err("it holds a value that is not finite".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use safetensors::tensor::{TensorView, serialize};

    use super::*;

    fn file(name: &str, dtype: Dtype, shape: &[usize], values: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        serialize([(name, TensorView::new(dtype, shape.to_vec(), &data).unwrap())], None).unwrap()
    }

    /// A PNG of two pixels side by side, black and white, with this EXIF orientation.
    fn black_and_white(orientation: u8) -> Vec<u8> {
        // Little-endian TIFF; one entry: tag 0x0112, one 16-bit value; no further directory.
        let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        let exif = [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, &[0; 4]].concat();
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(&[0, 0, 0, 255, 255, 255], 2, 1, ExtendedColorType::Rgb8).unwrap();
        png
    }

    #[test]
    fn exif_orientation_turns_the_image_upright() {
        let decoded = |orientation| {
            let reader = ImageReader::new(Cursor::new(black_and_white(orientation))).with_guessed_format().unwrap();
            let image = decode(reader).unwrap().into_rgb8();
            (image.dimensions(), image.into_raw()[0])
        };
        assert_eq!(decoded(1), ((2, 1), 0));
        assert_eq!(decoded(3), ((2, 1), 255), "upside down");
        assert_eq!(decoded(6), ((1, 2), 0), "a quarter turn clockwise");
        assert_eq!(decoded(8), ((1, 2), 255), "a quarter turn back");
    }

    #[test]
    fn reads_an_input_with_or_without_a_batch() {
        let values: Vec<f32> = (0..3 * 32 * 40).map(|value| value as f32).collect();
        for shape in [vec![1, 3, 32, 40], vec![3, 32, 40]] {
            let tensor = parse_tensor(&file("input", Dtype::F32, &shape, &values)).unwrap();
            assert_eq!((tensor.shape, tensor.at(2, 31, 39)), (Shape::new(3, 32, 40), 3839.0));
        }
    }

    #[test]
    fn says_what_is_wrong_with_an_input() {
        let error = |bytes: &[u8]| parse_tensor(bytes).unwrap_err();
        let zeros = [0.0; 3 * 32 * 32];
        assert!(error(b"GIF89a").len() > 5);
        assert!(error(&file("x", Dtype::F32, &[3, 32, 32], &zeros)).contains("no tensor `input`"));
        assert!(error(&file("input", Dtype::F32, &[32, 32, 3], &zeros)).contains("[32, 32, 3]"));
        assert!(error(&file("input", Dtype::F32, &[3, 2, 2], &[0.0; 12])).contains("from 32 to 4096"));
        assert!(error(&file("input", Dtype::I32, &[3, 32, 32], &zeros)).contains("I32"));
        assert!(error(&file("input", Dtype::F32, &[3, 32, 32], &[f32::NAN; 3 * 32 * 32])).contains("not finite"));
    }
}
