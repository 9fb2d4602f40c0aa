use std::fmt;

use serde::Serialize;

use super::model::Model;
use crate::arch::Variant;
use crate::gpu::AdapterInfo;
use crate::graph::{Shape, UnitKind};
use crate::reading::{Reading, Replacement, Replacements, larger};
use crate::vision::{Prediction, softmax, top_k};

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
    /// Only where gates were replaced: what the network makes of the image with its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    untouched: Option<Untouched<'a>>,
}

#[derive(Serialize)]
struct Untouched<'a> {
    logits: &'a [f32],
    top: Vec<Class<'a>>,
    /// What was replaced by what, for the terminal; each unit says it of itself.
    #[serde(skip)]
    replaced: String,
}

#[derive(Serialize)]
struct Network<'a> {
    id: &'a str,
    title: &'a str,
    /// Channels, height, width.
    input: [usize; 3],
    classes: usize,
    /// Whence it is known how the image became the input; nothing where the input was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    resized: Option<&'a str>,
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
    /// What stands in place of the unit's own gates, as `--gates` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
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
        resized: Option<&'a str>,
        adapter: &'a AdapterInfo,
        reading: &'a Reading,
    ) -> Self {
        let units = reading.units.iter().map(|unit| {
            let residual = unit.residual();
            Unit {
                name: &unit.name,
                kind: match unit.kind {
                    UnitKind::SplitAttention { radix, cardinality } => Kind::SplitAttention { radix, cardinality },
                    UnitKind::SelectiveKernel { paths } => Kind::SelectiveKernel { paths },
                    UnitKind::SqueezeExcite => Kind::SqueezeExcite,
                },
                replaced: None,
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
                resized,
            },
            adapter: Adapter { name: &adapter.name, backend: &adapter.backend, software: adapter.software },
            logits: &reading.logits,
            top: top(&reading.logits, model),
            units: units.collect(),
            untouched: None,
        }
    }

    /// Tells that gates were replaced, and what the network made of the image without.
    pub fn set_against(&mut self, untouched: &'a Reading, replacements: &Replacements, model: &'a Model) {
        for unit in &mut self.units {
            unit.replaced = replacements.of(unit.name).map(Replacement::to_string);
        }
        let (logits, top) = (untouched.logits.as_slice(), top(&untouched.logits, model));
        self.untouched = Some(Untouched { logits, top, replaced: replacements.to_string() });
    }

    /// The same for reading on a terminal: the top five, the adapter, and whether branch maps add up.
    pub fn summary(&self) -> String {
        let Network { title, input: [_, height, width], resized, .. } = self.network;
        let Adapter { name, backend, software } = self.adapter;
        let processor = if software { ", the processor at work" } else { "" };
        let mut text = match &self.untouched {
            None => self.top.iter().map(|class| format!("{:5.1} %  {class}\n", class.probability * 100.0)).collect(),
            Some(untouched) => self.changes(untouched),
        };
        let resized = resized.map(|how| format!(", resized {how}")).unwrap_or_default();
        text += &format!("{title} at {width} x {height} pixels{resized}; on {name} ({backend}{processor})\n");
        let residuals = self.units.iter().map(|unit| unit.residual.relative);
        if let Some(largest) = residuals.reduce(larger) {
            let units = self.units.len();
            text += &format!("branch maps add up to the output of all {units} units, within {largest:.0e} of it\n");
        }
        text
    }

    /// The top five with replaced gates and those without, each with its probability in both.
    fn changes(&self, untouched: &Untouched) -> String {
        let (now, before) = (softmax(self.logits), softmax(untouched.logits));
        let line = |class: &Class| {
            let [now, before] = [&now, &before].map(|probabilities| probabilities[class.index] * 100.0);
            format!("{now:6.1} %  {before:7.1} %  {class}\n")
        };
        let fallen = untouched.top.iter().filter(|class| self.top.iter().all(|other| other.index != class.index));
        let heading = "replaced  untouched\n".to_string();
        let lines: String = [heading].into_iter().chain(self.top.iter().chain(fallen).map(line)).collect();
        lines + &format!("with gates replaced: {}\n", untouched.replaced)
    }
}

/// The most probable classes, the most probable first.
fn top<'a>(logits: &[f32], model: &'a Model) -> Vec<Class<'a>> {
    let class = |class: Prediction| {
        let Prediction { index, probability, logit } = class;
        Class { index, label: model.label(index), probability, logit }
    };
    top_k(logits, TOP).into_iter().map(class).collect()
}

impl fmt::Display for Class<'_> {
    /// Its label, or its number where it has none.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.label {
            Some(label) => write!(f, "{label}"),
            None => write!(f, "class {}", self.index),
        }
    }
}
