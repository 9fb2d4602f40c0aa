use std::fs;
use std::path::Path;

use serde::Serialize;

use super::error::CliError;
use crate::reading::Reading;
use crate::vision::{
    ColourMap, Map, MapKind, Range, RangeScope, RgbImage, Selection, blend, branch_map, paint, range, upsample,
};

/// How much of the picture the paint covers.
const OPACITY: f32 = 0.65;
/// Small inputs are enlarged by a whole factor to at least this many pixels.
const MIN_SIDE: usize = 256;
/// The numbers that belong to the colours.
const LEGEND: &str = "legend.json";

/// How to read one heat map: its colours run from `low` to `high`.
#[derive(Serialize)]
struct Legend<'a> {
    file: String,
    unit: &'a str,
    kind: &'static str,
    /// Counted from 1, as in the file's name.
    branch: usize,
    colours: &'static str,
    low: f32,
    high: f32,
}

/// Writes a PNG for every unit, kind and branch, `UNIT.KIND.branchN.png`, and `legend.json`: the maps laid
/// over the network's input. All branches of a unit share one range. Returns the number of heat maps.
pub fn write(folder: &Path, reading: &Reading, picture: &RgbImage) -> Result<usize, CliError> {
    fs::create_dir_all(folder).map_err(CliError::write(folder))?;
    let picture = enlarge(picture);
    let mut legends = Vec::new();
    for (index, unit) in reading.units.iter().enumerate() {
        for &kind in MapKind::of_branches(unit.branches()) {
            for branch in 0..unit.branches() {
                let range = range(reading, Selection { unit: index, branch, kind }, RangeScope::Unit);
                let diverges = kind.is_diverging() || range.is_signed();
                let colours = if diverges { ColourMap::PurpleOrange } else { ColourMap::Viridis };
                let file = format!("{}.{}.branch{}.png", unit.name, kind.name(), branch + 1);
                let image = lay_over(&picture, &branch_map(unit, kind, branch), range, colours);
                write_png(&folder.join(&file), &image)?;
                let Range { low, high } = range;
                let (kind, branch, colours) = (kind.name(), branch + 1, colours.name());
                legends.push(Legend { file, unit: &unit.name, kind, branch, colours, low, high });
            }
        }
    }
    let path = folder.join(LEGEND);
    let json = serde_json::to_string_pretty(&legends).map_err(CliError::write(&path))?;
    fs::write(&path, json + "\n").map_err(CliError::write(&path))?;
    Ok(legends.len())
}

fn lay_over(picture: &RgbImage, map: &Map, range: Range, colours: ColourMap) -> RgbImage {
    let map = upsample(map, picture.width, picture.height, true);
    blend(picture, &paint(&map, range, colours), OPACITY)
}

/// Repeats pixels, so that what the network saw stays what is shown.
fn enlarge(picture: &RgbImage) -> RgbImage {
    let factor = MIN_SIDE.div_ceil(picture.width.min(picture.height));
    let (width, height) = (picture.width * factor, picture.height * factor);
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let pixel = y / factor * picture.width + x / factor;
            pixels.extend_from_slice(&picture.pixels[pixel * 3..][..3]);
        }
    }
    RgbImage { width, height, pixels }
}

fn write_png(path: &Path, image: &RgbImage) -> Result<(), CliError> {
    let (width, height) = (image.width as u32, image.height as u32);
    let format = image::ImageFormat::Png;
    let written =
        image::save_buffer_with_format(path, &image.pixels, width, height, image::ExtendedColorType::Rgb8, format);
    written.map_err(CliError::write(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enlarging_repeats_pixels() {
        let picture = RgbImage { width: 200, height: 130, pixels: (0..200 * 130 * 3).map(|byte| byte as u8).collect() };
        let large = enlarge(&picture);
        assert_eq!((large.width, large.height), (400, 260));
        assert_eq!(large.pixels[..9], [0, 1, 2, 0, 1, 2, 3, 4, 5]);
        let row = 400 * 3;
        assert_eq!(large.pixels[..row], large.pixels[row..2 * row]);
        let enough = RgbImage { width: 256, height: 256, pixels: vec![7; 256 * 256 * 3] };
        assert_eq!(enlarge(&enough), enough);
    }
}
