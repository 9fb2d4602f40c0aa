//! Pictures from anywhere to what is shown and what the network sees.
//!
//! The browser decodes the whole picture, turned as its EXIF data says; cropping and resizing are ours
//! ([`crate::vision`]), since browsers resize each in its own way.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, Blob, CanvasRenderingContext2d, ColorSpaceConversion, HtmlCanvasElement, ImageBitmap,
    ImageBitmapOptions, ImageOrientation, PremultiplyAlpha,
};

use super::dom;
use super::fetch;
use super::samples::Sample;
use crate::vision::{CropBox, ImageError, Preprocess, Resizer, RgbImage, crop_box};

/// Pixels that one strip of rows holds at most: 4 MiB, a few milliseconds of work.
const STRIP_PIXELS: usize = 1 << 20;

/// Edge of the square that is shown, in pixels; enough for a sharp picture on a fine display.
const SHOWN_EDGE: std::ops::RangeInclusive<f64> = 256.0..=1200.0;

/// Where a picture comes from.
#[derive(Clone)]
pub enum Source {
    Sample(Sample),
    /// A file that was dropped, pasted or picked.
    File {
        blob: Blob,
        name: String,
    },
}

/// A picture that has been read.
#[derive(Clone)]
pub struct Picture {
    pub source: Source,
    pub title: String,
    /// What a visitor who does not see it should know of it.
    pub alt: String,
    /// Width and height of the whole picture in pixels.
    pub extent: (usize, usize),
    /// The part that the network sees, in good resolution.
    pub square: HtmlCanvasElement,
    /// The same part as the network sees it,
    pub pixels: Rc<RgbImage>,
    /// and how it was made.
    pub preprocess: Preprocess,
}

impl Picture {
    /// The sample that it is, if it is one.
    pub fn sample(&self) -> Option<&Sample> {
        match &self.source {
            Source::Sample(sample) => Some(sample),
            Source::File { .. } => None,
        }
    }

    /// Whether it is the sample that `source` names.
    pub fn is_sample(&self, source: &Source) -> bool {
        matches!((&self.source, source), (Source::Sample(one), Source::Sample(other)) if one == other)
    }
}

/// Why a picture could not be read, as a sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IntakeError {
    #[error("‘{0}’ is no picture. JPEG, PNG, WebP, AVIF and GIF can be read, and weights as .safetensors.")]
    NotAPicture(String),
    #[error(
        "‘{0}’ could not be decoded: it is damaged, too large for this browser, or in a format that it does not know."
    )]
    Undecodable(String),
    #[error("‘{name}’ has {width} × {height} pixels; this browser could not hold that many. A smaller copy will work.")]
    TooLarge { name: String, width: u32, height: u32 },
    #[error("‘{name}’ cannot be used: {why}.")]
    Unusable { name: String, why: String },
    #[error("The sample could not be loaded: {0}.")]
    Sample(fetch::FetchError),
    #[error("Reading the picture was stopped.")]
    Stopped,
}

/// Reads a picture strip by strip, so that the page stays alive; gives up between strips once `overtaken`, and while a
/// sample is on its way once `stop` says so.
pub async fn read(
    source: Source,
    preprocess: &Preprocess,
    stop: &AbortSignal,
    progress: impl FnMut(usize, usize),
    overtaken: impl Fn() -> bool,
) -> Result<Picture, IntakeError> {
    let (blob, title, alt) = match &source {
        Source::Sample(sample) => {
            let blob = fetch::blob(&sample.path(), stop).await.map_err(|error| match error {
                fetch::FetchError::Stopped => IntakeError::Stopped,
                error => IntakeError::Sample(error),
            })?;
            (blob, sample.title.clone(), sample.alt.clone())
        }
        Source::File { blob, name } => (blob.clone(), name.clone(), format!("Your picture {name}")),
    };
    let bitmap = decode(&blob, &title).await?;
    let result = read_bitmap(&bitmap, &title, preprocess, progress, overtaken).await;
    let extent = (bitmap.width() as usize, bitmap.height() as usize);
    bitmap.close();
    let (square, pixels) = result?;
    Ok(Picture { source, title, alt, extent, square, pixels: Rc::new(pixels), preprocess: preprocess.clone() })
}

async fn decode(blob: &Blob, name: &str) -> Result<ImageBitmap, IntakeError> {
    let failed = |_: JsValue| match blob.type_().starts_with("image/") {
        true => IntakeError::Undecodable(name.into()),
        false => IntakeError::NotAPicture(name.into()),
    };
    let options = ImageBitmapOptions::new();
    options.set_image_orientation(ImageOrientation::FromImage);
    options.set_premultiply_alpha(PremultiplyAlpha::None);
    // Networks were trained on the stored values; Pillow applies no colour profile either.
    options.set_color_space_conversion(ColorSpaceConversion::None);
    let promise = window().create_image_bitmap_with_blob_and_image_bitmap_options(blob, &options).map_err(failed)?;
    Ok(JsFuture::from(promise).await.map_err(failed)?.unchecked_into())
}

async fn read_bitmap(
    bitmap: &ImageBitmap,
    name: &str,
    preprocess: &Preprocess,
    progress: impl FnMut(usize, usize),
    overtaken: impl Fn() -> bool,
) -> Result<(HtmlCanvasElement, RgbImage), IntakeError> {
    let (width, height) = (bitmap.width(), bitmap.height());
    let too_large = |_: JsValue| IntakeError::TooLarge { name: name.into(), width, height };
    let unusable = |error: ImageError| IntakeError::Unusable { name: name.into(), why: error.to_string() };
    let mut resizer = Resizer::new(width as usize, height as usize, preprocess).map_err(unusable)?;
    let mut strips = Strips::new(bitmap).map_err(too_large)?;
    let mut progress = progress;
    while let Some(rows) = strips.next_rows().map_err(too_large)? {
        resizer.push_rows(&rows).map_err(unusable)?;
        progress(strips.row as usize, height as usize);
        dom::pause().await;
        if overtaken() {
            return Err(IntakeError::Stopped);
        }
    }
    let pixels = resizer.finish().map_err(unusable)?;
    let crop = crop_box(width as usize, height as usize, preprocess).map_err(unusable)?;
    let square = square(bitmap, crop).map_err(too_large)?;
    Ok((square, pixels))
}

/// The rows of a picture, a few at a time, through a small canvas.
struct Strips<'a> {
    bitmap: &'a ImageBitmap,
    context: CanvasRenderingContext2d,
    rows: u32,
    row: u32,
}

impl<'a> Strips<'a> {
    fn new(bitmap: &'a ImageBitmap) -> Result<Self, JsValue> {
        let rows = (STRIP_PIXELS as u32 / bitmap.width().max(1)).clamp(1, bitmap.height().max(1));
        let context = context(&canvas(bitmap.width(), rows)?, true)?;
        Ok(Self { bitmap, context, rows, row: 0 })
    }

    /// RGBA of the next rows; `None` after the last.
    fn next_rows(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
        let (width, height) = (self.bitmap.width(), self.bitmap.height());
        let rows = self.rows.min(height - self.row);
        if rows == 0 {
            return Ok(None);
        }
        let (w, h) = (f64::from(width), f64::from(rows));
        whiten(&self.context, w, h);
        self.context.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            self.bitmap,
            0.0,
            f64::from(self.row),
            w,
            h,
            0.0,
            0.0,
            w,
            h,
        )?;
        self.row += rows;
        let data = self.context.get_image_data(0.0, 0.0, w, h)?;
        Ok(Some(data.data().0))
    }
}

/// The part that the network sees, drawn for people.
fn square(bitmap: &ImageBitmap, crop: CropBox) -> Result<HtmlCanvasElement, JsValue> {
    let [x, y, w, h] = [crop.x, crop.y, crop.width, crop.height].map(f64::from);
    let edge = w.clamp(*SHOWN_EDGE.start(), *SHOWN_EDGE.end()).round();
    let canvas = canvas(edge as u32, edge as u32)?;
    let context = context(&canvas, false)?;
    whiten(&context, edge, edge);
    Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into())?;
    context.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
        bitmap, x, y, w, h, 0.0, 0.0, edge, edge,
    )?;
    Ok(canvas)
}

/// Transparent pictures stand on white, for people and the network alike: a canvas forgets the colour of what
/// is wholly transparent.
fn whiten(context: &CanvasRenderingContext2d, width: f64, height: f64) {
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, width, height);
}

fn canvas(width: u32, height: u32) -> Result<HtmlCanvasElement, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.unchecked_into();
    canvas.set_width(width);
    canvas.set_height(height);
    Ok(canvas)
}

/// `read_often` keeps the canvas out of graphics memory.
fn context(canvas: &HtmlCanvasElement, read_often: bool) -> Result<CanvasRenderingContext2d, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"willReadFrequently".into(), &read_often.into())?;
    let context = canvas.get_context_with_context_options("2d", &options)?;
    context.map(JsCast::unchecked_into).ok_or_else(|| JsValue::from_str("no canvas"))
}
