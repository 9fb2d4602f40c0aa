//! Knows pictures and numbers: pixels to a tensor, logits to the top k, a reading to maps, maps to
//! colours. Pure functions on plain data; knows nothing of devices, files or the page.
//!
//! [`Resizer`] and [`normalise`] make the network's input as timm's evaluation does, equal to Pillow
//! pixel by pixel; [`branch_map`] and [`class_activation_map`] make what is laid over the picture;
//! [`Range`] and [`ColourMap`] paint it. A value that is undefined (a share of nothing) is NaN: it is
//! painted transparent and left out of ranges and statistics.

mod card;
mod colour;
mod maps;
mod preprocess;
mod range;
mod resample;
mod resizer;
mod statistics;
mod top;
mod upsample;

pub use card::{CardError, Label, ModelCard, parse_labels};
pub use colour::{ColourMap, blend, paint};
pub use maps::{Map, MapKind, branch_map, class_activation_map};
pub use preprocess::{CropBox, Filter, ImageError, Preprocess, RgbImage, SIDES, crop_box, denormalise, normalise};
pub use range::{Range, RangeScope, Selection, range};
pub use resizer::Resizer;
pub use statistics::{
    ChannelOrder, Dominance, Statistics, branch_statistics, channel_order, dominance, mean_change, most_varied,
};
pub use top::{Prediction, softmax, top_k};
pub use upsample::upsample;

/// A unit of one channel and one row of pixels with these contributions per branch; gates are a half, so
/// activations are twice the contributions.
#[cfg(test)]
fn example_unit(contributions: &[&[f32]]) -> crate::reading::UnitReading {
    use crate::graph::{Shape, Tensor, UnitKind};
    use crate::reading::{Gates, UnitReading};

    let (branches, pixels) = (contributions.len(), contributions[0].len());
    let contribution = Tensor::new(Shape::new(branches, 1, pixels), contributions.concat());
    let doubled = contribution.values.iter().map(|value| value * 2.0).collect();
    let sum = |pixel: usize| contributions.iter().map(|branch| branch[pixel]).sum();
    UnitReading {
        name: "layer1.0.conv2".into(),
        kind: UnitKind::SplitAttention { radix: branches, cardinality: 1 },
        gates: Gates { branches, channels: 1, groups: 1, values: vec![0.5; branches] },
        activation: Tensor::new(contribution.shape, doubled),
        output: Tensor::new(Shape::new(1, 1, pixels), (0..pixels).map(sum).collect()),
        contribution,
    }
}
