use super::preprocess::Geometry;
use super::resample::{HALF, Taps, taps, to_pixel};
use super::{ImageError, Preprocess, RgbImage};

/// Resizes a picture and cuts the network's square from it, row by row as the picture comes.
///
/// The result equals Pillow's antialiased `Image.resize` followed by torchvision's `CenterCrop`, byte by
/// byte: a horizontal pass, rounded to 8 bits, then a vertical one, in Pillow's integers of 22 fractional
/// bits. Only the square's columns and rows are computed, and what is held is the square itself and one
/// row of it, however large the picture is.
///
/// Pillow 13 takes the vertical pass first where it removes more than twice as many rows as the other
/// removes columns (python-pillow/Pillow#9549), which is so for pictures more than twice as tall as wide:
/// there bytes may differ from that version's. The order here is the one that every version before has,
/// and that checkpoints were trained and measured with.
///
/// Alpha is not looked at, as Pillow's `convert('RGB')` drops it: a transparent pixel counts with the colour that is
/// stored beneath. So it does for the command. The page lays a picture on white before it comes here, since a canvas
/// forgets what is stored beneath.
#[derive(Clone, Debug)]
pub struct Resizer {
    width: usize,
    height: usize,
    size: usize,
    /// Taps of the square's columns on a source row.
    columns: Vec<Taps>,
    /// Taps of the square's rows on the source's rows.
    rows: Vec<Taps>,
    /// Source rows taken so far.
    taken: usize,
    /// A source row after the horizontal pass: red, green, blue for each of the square's columns.
    row: Vec<u8>,
    /// Sums of the vertical pass, one for each byte of the square.
    sums: Vec<i32>,
}

impl Resizer {
    /// For a picture of `width` x `height` pixels, each side 1 to 65535.
    pub fn new(width: usize, height: usize, preprocess: &Preprocess) -> Result<Self, ImageError> {
        let Geometry { width: to_width, height: to_height, left, top } = Geometry::new(width, height, preprocess)?;
        let size = preprocess.size;
        Ok(Self {
            width,
            height,
            size,
            columns: taps(width, to_width, left..left + size, preprocess.filter),
            rows: taps(height, to_height, top..top + size, preprocess.filter),
            taken: 0,
            row: vec![0; size * 3],
            sums: vec![HALF; size * size * 3],
        })
    }

    /// Takes the next rows of the picture, from the top: any number of whole rows, each of `width * 4`
    /// bytes (red, green, blue, alpha). After an error nothing of this strip has been taken.
    pub fn push_rows(&mut self, rgba: &[u8]) -> Result<(), ImageError> {
        let row_bytes = self.width * 4;
        if !rgba.len().is_multiple_of(row_bytes) {
            return Err(ImageError::PartialRow { bytes: rgba.len(), row_bytes });
        }
        let rows = self.taken + rgba.len() / row_bytes;
        if rows > self.height {
            return Err(ImageError::RowCount { rows, height: self.height });
        }
        rgba.chunks_exact(row_bytes).for_each(|row| self.push_row(row));
        Ok(())
    }

    fn push_row(&mut self, rgba: &[u8]) {
        let y = self.taken;
        self.taken += 1;
        // Ends and starts never decrease, so the outputs that this row reaches are neighbours.
        let first = self.rows.partition_point(|taps| taps.end() <= y);
        let past = self.rows.partition_point(|taps| taps.start <= y);
        if first >= past {
            return;
        }
        for (out, taps) in self.row.chunks_exact_mut(3).zip(&self.columns) {
            let mut sums = [HALF; 3];
            let pixels = rgba[taps.start * 4..taps.end() * 4].chunks_exact(4);
            for (pixel, weight) in pixels.zip(&taps.weights) {
                for (sum, level) in sums.iter_mut().zip(pixel) {
                    *sum += weight * i32::from(*level);
                }
            }
            out.copy_from_slice(&sums.map(to_pixel));
        }
        let sums = self.sums.chunks_exact_mut(self.size * 3).zip(&self.rows);
        for (sums, taps) in sums.take(past).skip(first) {
            let weight = taps.weights[y - taps.start];
            for (sum, level) in sums.iter_mut().zip(&self.row) {
                *sum += weight * i32::from(*level);
            }
        }
    }

    /// The square, once all rows have been pushed.
    pub fn finish(self) -> Result<RgbImage, ImageError> {
        if self.taken != self.height {
            return Err(ImageError::RowCount { rows: self.taken, height: self.height });
        }
        let pixels = self.sums.into_iter().map(to_pixel).collect();
        Ok(RgbImage { width: self.size, height: self.size, pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::Filter;

    fn preprocess(size: usize, crop_fraction: f64, filter: Filter) -> Preprocess {
        Preprocess { crop_fraction, filter, ..Preprocess::imagenet(size) }
    }

    fn grey(levels: &[u8]) -> Vec<u8> {
        levels.iter().flat_map(|level| [*level, *level, *level, 255]).collect()
    }

    fn resize(width: usize, rgba: &[u8], preprocess: &Preprocess) -> Vec<u8> {
        let mut resizer = Resizer::new(width, rgba.len() / width / 4, preprocess).unwrap();
        resizer.push_rows(rgba).unwrap();
        resizer.finish().unwrap().pixels
    }

    #[test]
    fn the_same_extent_changes_nothing_but_alpha() {
        let rgba: Vec<u8> = (0..4 * 4 * 4).map(|byte| byte * 3).collect();
        let rgb: Vec<u8> = rgba.chunks(4).flat_map(|pixel| &pixel[..3]).copied().collect();
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            assert_eq!(resize(4, &rgba, &preprocess(4, 1.0, filter)), rgb);
        }
    }

    #[test]
    fn by_hand() {
        // Columns: weights 3/7, 3/7, 1/7 of (0, 70, 140) and 1/7, 3/7, 3/7 of (70, 140, 210): 50 and
        // 160, where rounding is exact; all four rows are the same.
        let rgba = grey(&[0, 70, 140, 210].repeat(4));
        let found = resize(4, &rgba, &preprocess(2, 1.0, Filter::Bilinear));
        assert_eq!(found, [50, 50, 50, 160, 160, 160].repeat(2));
    }

    #[test]
    fn cuts_the_middle() {
        // 5 x 3 pixels, the square of side 3 starts at column 1.
        let row = [9, 1, 2, 3, 9];
        let found = resize(5, &grey(&row.repeat(3)), &preprocess(3, 1.0, Filter::Bicubic));
        assert_eq!(found, [1, 1, 1, 2, 2, 2, 3, 3, 3].repeat(3));
    }

    #[test]
    fn a_transparent_pixel_counts_with_its_colour() {
        let found = resize(1, &[10, 20, 30, 0], &preprocess(1, 1.0, Filter::Bilinear));
        assert_eq!(found, [10, 20, 30]);
    }

    #[test]
    fn strips_do_not_change_the_result() {
        let (width, height) = (37, 23);
        let rgba: Vec<u8> = (0..width * height * 4).map(|byte| (byte * byte % 251) as u8).collect();
        let preprocess = preprocess(8, 0.8, Filter::Bicubic);
        let whole = resize(width, &rgba, &preprocess);
        for rows in [1, 4, 22] {
            let mut resizer = Resizer::new(width, height, &preprocess).unwrap();
            for strip in rgba.chunks(rows * width * 4) {
                resizer.push_rows(strip).unwrap();
            }
            assert_eq!(resizer.finish().unwrap().pixels, whole, "{rows} rows at a time");
        }
    }

    #[test]
    fn extremes_are_clipped_not_wrapped() {
        // Bicubic overshoots beside an edge between black and white.
        let rgba = grey(&[0, 0, 0, 255, 255, 255].repeat(6));
        let found = resize(6, &rgba, &preprocess(12, 1.0, Filter::Bicubic));
        assert_eq!((found[0], found[11 * 3]), (0, 255));
        let levels: Vec<u8> = found[..12 * 3].iter().step_by(3).copied().collect();
        assert!(levels.is_sorted(), "{levels:?}");
    }

    #[test]
    fn says_what_is_wrong_with_the_rows() {
        let mut resizer = Resizer::new(2, 2, &preprocess(2, 1.0, Filter::Bilinear)).unwrap();
        assert_eq!(resizer.push_rows(&[0; 9]), Err(ImageError::PartialRow { bytes: 9, row_bytes: 8 }));
        assert_eq!(resizer.push_rows(&[0; 24]), Err(ImageError::RowCount { rows: 3, height: 2 }));
        resizer.push_rows(&[0; 8]).unwrap();
        assert_eq!(resizer.clone().finish(), Err(ImageError::RowCount { rows: 1, height: 2 }));
        resizer.push_rows(&[0; 8]).unwrap();
        assert_eq!(resizer.push_rows(&[0; 8]), Err(ImageError::RowCount { rows: 3, height: 2 }));
        assert_eq!(resizer.finish().unwrap().pixels, [0; 12]);
    }
}
