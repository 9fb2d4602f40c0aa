//! How a picture becomes a network's input: timm's evaluation transform (`transforms_imagenet_eval`
//! in `timm/data/transforms_factory.py`) with torchvision's rounding.

use serde::{Deserialize, Serialize};

use crate::graph::{Shape, Tensor};

/// The longest side that is accepted, in pixels: JPEG's own limit.
const MAX_SIDE: usize = 65_535;
/// The largest input square that is accepted, in pixels.
const MAX_SIZE: usize = 4096;

/// Sides of an input that networks are asked to look at, in pixels: below, the last stages have nothing left to
/// look at.
pub const SIDES: std::ops::RangeInclusive<usize> = 32..=MAX_SIZE;

/// Why a picture cannot be made into a network's input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImageError {
    #[error("the image has {width} x {height} pixels: there is nothing in it to look at")]
    Empty { width: usize, height: usize },
    #[error(
        "the image has {width} x {height} pixels, and a side may have at most {limit}: make it smaller and try again"
    )]
    TooLarge { width: usize, height: usize, limit: usize },
    #[error("{bytes} bytes are not whole rows of {row_bytes} bytes each")]
    PartialRow { bytes: usize, row_bytes: usize },
    #[error("the image has {height} rows of pixels, but {rows} came")]
    RowCount { rows: usize, height: usize },
    #[error("the network's preprocessing makes no sense: {0}")]
    Preprocess(&'static str),
}

/// Kernel of an antialiased resize, named as Pillow names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    #[default]
    Bilinear,
    /// With a = -0.5, as Pillow has it.
    Bicubic,
}

/// What a checkpoint's training expects of its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Side of the square input in pixels, 1 to 4096.
    pub size: usize,
    /// The input's side as a part of the resized picture's shorter side, above 0 and at most 1 (timm's
    /// `crop_pct`). 64 bits wide, since timm's `floor(size / crop_pct)` is: 224 / 0.8 is 280 in 64 bits
    /// and below it in 32.
    pub crop_fraction: f64,
    pub filter: Filter,
    /// Red, green, blue, on a scale where white is 1.
    pub mean: [f32; 3],
    /// Red, green, blue, on a scale where white is 1.
    pub std: [f32; 3],
}

impl Preprocess {
    /// What networks trained on ImageNet were first judged by, a guess where nothing else is known: timm's default
    /// crop of 0.875, bilinear, ImageNet's mean and standard deviation.
    pub const fn imagenet(size: usize) -> Self {
        let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        Self { size, crop_fraction: 0.875, filter: Filter::Bilinear, mean, std }
    }

    /// Whether the numbers are within what their fields say; they may come from a file.
    pub fn check(&self) -> Result<(), ImageError> {
        let finite = self.mean.iter().chain(&self.std).all(|value| value.is_finite());
        let short_side = self.size as f64 / self.crop_fraction;
        let rules = [
            ((1..=MAX_SIZE).contains(&self.size), "the input must be 1 to 4096 pixels wide"),
            (self.crop_fraction > 0.0 && self.crop_fraction <= 1.0, "the crop fraction must be above 0 and at most 1"),
            (short_side <= MAX_SIDE as f64, "the crop fraction is too small"),
            (finite, "mean and standard deviation must be finite"),
            (self.std.iter().all(|std| *std > 0.0), "the standard deviation must be above 0"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(ImageError::Preprocess(wrong)),
            None => Ok(()),
        }
    }
}

/// The resized picture's extent and where in it the input square lies, in resized pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub width: usize,
    pub height: usize,
    pub left: usize,
    pub top: usize,
}

impl Geometry {
    /// The shorter side becomes `floor(size / crop_fraction)` pixels and the longer one keeps the
    /// proportion, rounded down (torchvision's `Resize`); the square is cut from the middle
    /// (`CenterCrop`, which rounds halves to even).
    pub fn new(width: usize, height: usize, preprocess: &Preprocess) -> Result<Self, ImageError> {
        preprocess.check()?;
        if width == 0 || height == 0 {
            return Err(ImageError::Empty { width, height });
        }
        if width.max(height) > MAX_SIDE {
            return Err(ImageError::TooLarge { width, height, limit: MAX_SIDE });
        }
        let short = (preprocess.size as f64 / preprocess.crop_fraction).floor() as usize;
        // Below 2^32 while both factors are below 2^16, so that it fits a 32-bit browser too.
        let scaled = |side: usize| short * side / width.min(height);
        let (width, height) = (scaled(width), scaled(height));
        let centred = |extent: usize| ((extent - preprocess.size) as f64 / 2.0).round_ties_even() as usize;
        Ok(Self { width, height, left: centred(width), top: centred(height) })
    }
}

/// A rectangle on the original picture, in its pixels, measured from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropBox {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// The part of a picture of `width` x `height` pixels that the network sees.
pub fn crop_box(width: usize, height: usize, preprocess: &Preprocess) -> Result<CropBox, ImageError> {
    let resized = Geometry::new(width, height, preprocess)?;
    let (x_scale, y_scale) = (width as f32 / resized.width as f32, height as f32 / resized.height as f32);
    let size = preprocess.size as f32;
    Ok(CropBox {
        x: resized.left as f32 * x_scale,
        y: resized.top as f32 * y_scale,
        width: size * x_scale,
        height: size * y_scale,
    })
}

/// A picture of 8 bits per channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbImage {
    pub width: usize,
    pub height: usize,
    /// Red, green, blue for each pixel, row by row.
    pub pixels: Vec<u8>,
}

/// `(pixel / 255 - mean) / std` per channel: `[3, height, width]`, the network's input.
pub fn normalise(image: &RgbImage, preprocess: &Preprocess) -> Tensor {
    Tensor::from_fn(Shape::new(3, image.height, image.width), |channel, y, x| {
        let pixel = image.pixels[(y * image.width + x) * 3 + channel];
        (f32::from(pixel) / 255.0 - preprocess.mean[channel]) / preprocess.std[channel]
    })
}

/// The picture that [`normalise`] would have made this `[3, height, width]` input from, rounded and
/// clipped to 8 bits. Panics unless the input has three channels.
pub fn denormalise(input: &Tensor, preprocess: &Preprocess) -> RgbImage {
    let Shape { channels, height, width } = input.shape;
    assert_eq!(channels, 3, "channels of a picture");
    let mut pixels = Vec::with_capacity(input.shape.elements());
    for pixel in 0..input.shape.pixels() {
        pixels.extend((0..3).map(|channel| {
            let value = input.channel(channel)[pixel] * preprocess.std[channel] + preprocess.mean[channel];
            (value * 255.0).round() as u8
        }));
    }
    RgbImage { width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_crop(size: usize, crop_fraction: f64) -> Preprocess {
        Preprocess { crop_fraction, ..Preprocess::imagenet(size) }
    }

    #[test]
    fn geometry_rounds_as_torchvision() {
        let geometry = |width, height, preprocess| Geometry::new(width, height, &preprocess).unwrap();
        // floor(224 / 0.875) = 256; int(256 * 640 / 427) = 383; round((383 - 224) / 2) = round(79.5) = 80.
        let photo = geometry(640, 427, Preprocess::imagenet(224));
        assert_eq!(photo, Geometry { width: 383, height: 256, left: 80, top: 16 });
        // floor(224 / 0.95) = 235; round(5.5) = 6; floor(224 / 0.965) = 232.
        assert_eq!(geometry(500, 500, with_crop(224, 0.95)).left, 6);
        assert_eq!(geometry(500, 500, with_crop(224, 0.965)).width, 232);
        // round(0.5) is 0 and round(1.5) is 2 in Python; 224 / 0.8 is exactly 280.
        assert_eq!(geometry(100, 101, with_crop(100, 1.0)).top, 0);
        assert_eq!(geometry(100, 103, with_crop(100, 1.0)).top, 2);
        assert_eq!(geometry(300, 300, with_crop(224, 0.8)).width, 280);
        // The longest side beside the shortest: one row.
        assert_eq!(geometry(65_535, 1, with_crop(64, 1.0)).width, 64 * 65_535);
    }

    #[test]
    fn crop_box_is_in_pixels_of_the_original() {
        let found = crop_box(512, 1024, &Preprocess::imagenet(224)).unwrap();
        assert_eq!(found, CropBox { x: 32.0, y: 288.0, width: 448.0, height: 448.0 });
        assert_eq!(
            crop_box(64, 64, &with_crop(64, 1.0)).unwrap(),
            CropBox { x: 0.0, y: 0.0, width: 64.0, height: 64.0 }
        );
    }

    #[test]
    fn says_what_is_wrong_with_an_extent() {
        let found = |width, height| Geometry::new(width, height, &Preprocess::imagenet(64)).unwrap_err();
        assert_eq!(found(0, 5), ImageError::Empty { width: 0, height: 5 });
        assert_eq!(found(5, 65_536), ImageError::TooLarge { width: 5, height: 65_536, limit: 65_535 });
        assert!(found(70_000, 5).to_string().contains("at most 65535"));
    }

    #[test]
    fn refuses_preprocessing_that_makes_no_sense() {
        for crop_fraction in [0.0, -1.0, 1.5, f64::NAN, 1e-300] {
            assert!(with_crop(64, crop_fraction).check().is_err(), "{crop_fraction}");
        }
        assert!(with_crop(0, 1.0).check().is_err());
        assert!(with_crop(4097, 1.0).check().is_err());
        assert!(Preprocess { std: [1.0, 0.0, 1.0], ..Preprocess::imagenet(64) }.check().is_err());
        assert!(Preprocess { mean: [f32::NAN; 3], ..Preprocess::imagenet(64) }.check().is_err());
        assert_eq!(Preprocess::imagenet(4096).check(), Ok(()));
    }

    #[test]
    fn normalise_by_hand_and_back() {
        let preprocess = Preprocess { mean: [0.0, 0.5, 0.2], std: [1.0, 0.5, 0.4], ..Preprocess::imagenet(2) };
        let image = RgbImage { width: 2, height: 1, pixels: vec![255, 255, 51, 0, 0, 0] };
        let tensor = normalise(&image, &preprocess);
        assert_eq!(tensor.shape, Shape::new(3, 1, 2));
        assert_eq!(tensor.values, [1.0, 0.0, 1.0, -1.0, 0.0, -0.5]);
        assert_eq!(denormalise(&tensor, &preprocess), image);
    }

    #[test]
    fn every_level_survives_normalisation() {
        let pixels = (0..=255).flat_map(|level| [level; 3]).collect();
        let image = RgbImage { width: 16, height: 16, pixels };
        let preprocess = Preprocess::imagenet(16);
        assert_eq!(denormalise(&normalise(&image, &preprocess), &preprocess), image);
    }
}
