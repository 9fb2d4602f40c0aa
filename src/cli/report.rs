use serde::Serialize;

use super::model::Model;
use crate::arch::Variant;
use crate::gpu::AdapterInfo;
use crate::graph::{Shape, UnitKind};
use crate::reading::Reading;
use crate::vision::top_k;

/// How many of the most probable classes are told.
const TOP: usize = 5;

/// Everything that a run leaves, apart from pictures: what `--json` writes.
#[derive(Serialize)]
pub struct Report<'a> {
    network: Network<'a>,
    adapter: Adapter<'a>,
    /// One per class, before the softmax.
    logits: &'a [f32],
    /// The most probable classes, the most probable first.
    top: Vec<Class<'a>>,
    /// In the order of the network's depth.
    units: Vec<Unit<'a>>,
}

#[derive(Serialize)]
struct Network<'a> {
    id: &'a str,
    title: &'a str,
    /// Channels, height, width.
    input: [usize; 3],
    classes: usize,
}

#[derive(Serialize)]
struct Adapter<'a> {
    name: &'a str,
    backend: &'a str,
    /// Whether it is the processor at work.
    software: bool,
}

#[derive(Serialize)]
struct Class<'a> {
    index: usize,
    label: Option<&'a str>,
    probability: f32,
    logit: f32,
}

#[derive(Serialize)]
struct Unit<'a> {
    name: &'a str,
    #[serde(flatten)]
    kind: Kind,
    /// Gates: for each branch, one weight per output channel.
    attention: Vec<&'a [f32]>,
    /// Height and width of the unit's maps.
    map: [usize; 2],
    residual: Residual,
}

/// A unit's kind with its numbers, named as the papers name them.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind {
    SplitAttention { radix: usize, cardinality: usize },
    SelectiveKernel { paths: usize },
    SqueezeExcite,
}

/// How far the branch maps are from adding up to the unit's output.
#[derive(Serialize)]
struct Residual {
    /// Largest difference at any pixel.
    absolute: f32,
    /// That by the output's largest magnitude.
    relative: f32,
}

impl<'a> Report<'a> {
    pub fn new(
        variant: &'a Variant,
        model: &'a Model,
        input: Shape,
        adapter: &'a AdapterInfo,
        reading: &'a Reading,
    ) -> Self {
        let classes = top_k(&reading.logits, TOP).into_iter();
        let top = classes.map(|class| Class {
            index: class.index,
            label: model.label(class.index),
            probability: class.probability,
            logit: class.logit,
        });
        let units = reading.units.iter().map(|unit| {
            let residual = unit.residual();
            Unit {
                name: &unit.name,
                kind: match unit.kind {
                    UnitKind::SplitAttention { radix, cardinality } => Kind::SplitAttention { radix, cardinality },
                    UnitKind::SelectiveKernel { paths } => Kind::SelectiveKernel { paths },
                    UnitKind::SqueezeExcite => Kind::SqueezeExcite,
                },
                attention: (0..unit.branches()).map(|branch| unit.gates.branch(branch)).collect(),
                map: [unit.output.shape.height, unit.output.shape.width],
                residual: Residual { absolute: residual.absolute, relative: residual.relative },
            }
        });
        Self {
            network: Network {
                id: variant.id,
                title: variant.title,
                input: [input.channels, input.height, input.width],
                classes: model.classes,
            },
            adapter: Adapter { name: &adapter.name, backend: &adapter.backend, software: adapter.software },
            logits: &reading.logits,
            top: top.collect(),
            units: units.collect(),
        }
    }

    /// The same for reading on a terminal: the top five, the adapter, and whether branch maps add up.
    pub fn summary(&self) -> String {
        let class = |class: &Class| {
            let label = class.label.map_or_else(|| format!("class {}", class.index), str::to_string);
            format!("{:5.1} %  {label}\n", class.probability * 100.0)
        };
        let Network { title, input: [_, height, width], .. } = self.network;
        let Adapter { name, backend, software } = self.adapter;
        let processor = if software { ", the processor at work" } else { "" };
        let mut text: String = self.top.iter().map(class).collect();
        text += &format!("{title} at {width} x {height} pixels on {name} ({backend}{processor})\n");
        let residuals = self.units.iter().map(|unit| unit.residual.relative);
        if let Some(largest) = residuals.reduce(f32::max) {
            let units = self.units.len();
            text += &format!("branch maps add up to the output of all {units} units, within {largest:.0e} of it\n");
        }
        text
    }
}
