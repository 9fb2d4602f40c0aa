//! What the page shows and in which mood it is: plain values in signals, no work.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;

pub use super::analysis::{Analysis, Classifier};
use super::failure::Failure;
use super::features::GroupMaps;
use super::intake::Picture;
use super::model::{self, CheckpointFile, Model};
use super::speed::Speed;
pub use super::view::View;
use super::what_if::WhatIf;
use crate::arch::Variant;
use crate::engine::Account;
use crate::gpu::AdapterInfo;
use crate::graph::{Mismatch, Tensor};
use crate::kernels::Tuning;
use crate::reading::{Replacements, UnitReading};
use crate::vision::{ChannelOrder, ColourMap, Range, RangeScope};
use crate::weights::Catalogue;

/// The page's life.
#[derive(Clone, Debug, PartialEq)]
pub enum Life {
    /// The network is being made ready, for the first time, for another network or after a lost device.
    Opening(Progress),
    Ready,
    /// A picture is being read and run; the one before it stays on screen.
    Analysing(Progress),
    /// The network cannot run. What was on screen stays there.
    Failed(Failure),
}

impl Life {
    /// The word that the document carries for styles and tests.
    pub fn phase(&self) -> &'static str {
        match self {
            Life::Opening(_) => "opening",
            Life::Ready => "ready",
            Life::Analysing(_) => "analysing",
            Life::Failed(_) => "failed",
        }
    }

    pub fn progress(&self) -> Option<Progress> {
        match self {
            Life::Opening(progress) | Life::Analysing(progress) => Some(*progress),
            Life::Ready | Life::Failed(_) => None,
        }
    }
}

/// How far the work at hand is: `done` of `total`; a `total` of 0 is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    pub done: usize,
    pub total: usize,
}

impl Progress {
    pub fn of(stage: Stage) -> Self {
        Self { stage, done: 0, total: 0 }
    }
}

/// What is being worked on, in the order of opening the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A visitor's file is looked at.
    Checkpoint,
    Card,
    Adapter,
    Download,
    /// Kernels that compute the same are timed against each other.
    Kernels,
    Pipelines,
    Upload,
    Picture,
    Run,
}

/// A sentence for the visitor that takes nothing off the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub tone: Tone,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something that the visitor asked for did not happen.
    Error,
    /// The page lost the device and put itself right.
    Recovered,
    Note,
}

/// A visitor's file of weights that the page cannot open by itself.
#[derive(Clone)]
pub enum Puzzle {
    /// Several networks have its tensors, and the file does not say which it is of.
    Ambiguous { file: CheckpointFile, fits: Vec<&'static Variant> },
    /// No network has its tensors.
    Unknown(Unknown),
}

/// How a file of weights differs from the network that it is most like.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    pub file: String,
    pub nearest: &'static Variant,
    pub mismatch: Mismatch,
}

/// What the branches of a unit hold, channel by channel.
pub struct Activations {
    pub run: u64,
    pub unit: usize,
    /// `[branches * C, H, W]`
    pub tensor: Arc<Tensor>,
}

/// The engine's host, for the visitor's eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    pub adapter: AdapterInfo,
    /// What networks are loaded with from now on.
    pub tuning: Tuning,
    /// Of the network at work.
    pub account: Account,
    /// The same network's pipelines by name, each with its dispatches.
    pub pipelines: Vec<(String, usize)>,
    pub kept: Kept,
}

/// Networks that stay on the device, so that coming back to them is immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub networks: usize,
    pub bytes: u64,
    pub budget_bytes: u64,
}

/// Every signal of the page. Cheap to copy: it is a bundle of handles.
#[derive(Clone, Copy)]
pub struct State {
    pub life: RwSignal<Life>,
    pub notice: RwSignal<Option<Notice>>,
    pub host: RwSignal<Option<Host>>,
    /// The network that the visitor has chosen; it may still have to be loaded.
    pub variant: RwSignal<&'static Variant>,
    /// Share of validation pictures whose first guess is right, by the ids of networks that ship; filled in time.
    pub accuracy: RwSignal<HashMap<&'static str, f32>>,
    /// What is published, once it was asked for.
    pub catalogue: RwSignal<Option<Arc<Catalogue>>>,
    /// A network whose weights the page has to ask for before it can be opened.
    pub offer: RwSignal<Option<&'static Variant>>,
    /// Says that a checkpoint was stored on this machine, or deleted.
    pub checkpoints: Trigger,
    /// Side of the network's input in pixels; `None` is the one that its weights were made for.
    pub side: RwSignal<Option<usize>>,
    /// A checkpoint that waits for the visitor's word.
    pub puzzle: RwSignal<Option<Puzzle>, LocalStorage>,
    /// What is at work, or being made ready.
    pub model: RwSignal<Option<Arc<Model>>>,
    pub picture: RwSignal<Option<Picture>, LocalStorage>,
    pub analysis: RwSignal<Option<Arc<Analysis>>>,
    /// Gates that the visitor wants replaced; `analysis` says which are in the run that is shown.
    pub replacements: RwSignal<Replacements>,
    /// Of the chosen unit, once they were asked for and have arrived.
    pub activations: RwSignal<Option<Arc<Activations>>>,
    /// Position along the depth: of a unit, or of a layer where the network has no units.
    pub unit: RwSignal<usize>,
    pub branch: RwSignal<usize>,
    /// The group of the layer whose map is shown; `None` is the mean of all channels.
    pub group: RwSignal<Option<usize>>,
    /// Of the chosen layer, once they were asked for and have arrived.
    pub groups: RwSignal<Option<Arc<GroupMaps>>>,
    pub view: RwSignal<View>,
    /// The class whose map is shown; `None` is whichever comes first on this picture.
    pub class: RwSignal<Option<usize>>,
    pub scope: RwSignal<RangeScope>,
    /// The range that maps of this kind keep, whichever picture, network, unit or gates they are of.
    pub held: RwSignal<Option<(View, Range)>>,
    pub sequential: RwSignal<ColourMap>,
    pub diverging: RwSignal<ColourMap>,
    /// Of the map over the picture, in percent.
    pub opacity: RwSignal<u32>,
    /// Interpolate between the cells of a map instead of showing them.
    pub smooth: RwSignal<bool>,
    /// Keep the picture's colours under the map.
    pub colourful: RwSignal<bool>,
    /// Column and row of the map's cell under the pointer.
    pub cell: RwSignal<Option<(usize, usize)>>,
    /// The channel looked at; `None` is the most telling one.
    pub channel: RwSignal<Option<usize>>,
    pub order: RwSignal<ChannelOrder>,
    /// What was last measured; perhaps of another network than the one at work.
    pub speed: RwSignal<Option<Arc<Speed>>>,
    /// Whether more runs are to be measured.
    pub measuring: RwSignal<bool>,
}

impl State {
    pub fn new() -> Self {
        Self {
            life: RwSignal::new(Life::Opening(Progress::of(Stage::Card))),
            notice: RwSignal::new(None),
            host: RwSignal::new(None),
            variant: RwSignal::new(model::first()),
            accuracy: RwSignal::default(),
            catalogue: RwSignal::new(None),
            offer: RwSignal::new(None),
            checkpoints: Trigger::new(),
            side: RwSignal::new(None),
            puzzle: RwSignal::new_local(None),
            model: RwSignal::new(None),
            picture: RwSignal::new_local(None),
            analysis: RwSignal::new(None),
            replacements: RwSignal::default(),
            activations: RwSignal::new(None),
            unit: RwSignal::new(0),
            branch: RwSignal::new(0),
            group: RwSignal::new(None),
            groups: RwSignal::new(None),
            view: RwSignal::new(View::Contribution),
            class: RwSignal::new(None),
            scope: RwSignal::new(RangeScope::Map),
            held: RwSignal::new(None),
            sequential: RwSignal::new(ColourMap::Inferno),
            diverging: RwSignal::new(ColourMap::PurpleOrange),
            opacity: RwSignal::new(70),
            smooth: RwSignal::new(true),
            colourful: RwSignal::new(false),
            cell: RwSignal::new(None),
            channel: RwSignal::new(None),
            order: RwSignal::new(ChannelOrder::Dominance),
            speed: RwSignal::new(None),
            measuring: RwSignal::new(false),
        }
    }

    /// The network whose answer is on the screen.
    pub fn at_work(&self) -> Option<&'static Variant> {
        self.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.model.variant))
    }

    /// Reads the chosen unit; `None` before the first analysis and for a network without units.
    pub fn with_unit<T>(&self, read: impl FnOnce(&UnitReading) -> T) -> Option<T> {
        let unit = self.unit.get();
        self.analysis.with(|analysis| analysis.as_ref()?.reading.units.get(unit).map(read))
    }

    /// Reads what was replaced in the run that is shown; `None` where the network ran with gates of its own.
    pub fn with_what_if<T>(&self, read: impl FnOnce(&WhatIf) -> T) -> Option<T> {
        self.analysis.with(|analysis| analysis.as_ref()?.what_if.as_ref().map(read))
    }

    /// Branches of the chosen unit.
    pub fn branches(&self) -> usize {
        self.with_unit(UnitReading::branches).unwrap_or(0)
    }

    /// Activations of the chosen unit in the run that is shown, if they have arrived.
    pub fn current_activations(&self) -> Option<Arc<Activations>> {
        let unit = self.unit.get();
        let run = self.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.run));
        self.activations.get().filter(|activations| activations.unit == unit && Some(activations.run) == run)
    }

    /// What was measured of the network whose answer is on the screen, at its size.
    pub fn current_speed(&self) -> Option<Arc<Speed>> {
        let speed = self.speed.get()?;
        self.analysis.with(|analysis| speed.is_of(analysis.as_ref()?).then_some(()))?;
        Some(speed)
    }

    /// The class whose activation map is shown.
    pub fn shown_class(&self) -> Option<usize> {
        let first = || self.analysis.with(|analysis| Some(analysis.as_ref()?.top.first()?.index));
        self.class.get().or_else(first)
    }

    pub fn choose_unit(&self, unit: usize) {
        self.move_to_unit(unit);
        self.leave_class();
    }

    /// The unit of another network; a class whose map is shown stays shown.
    pub fn move_to_unit(&self, unit: usize) {
        self.unit.set(unit);
        self.channel.set(None);
        // A group has nothing to do with the one of the same number elsewhere.
        self.group.set(None);
        self.cell.set(None);
        // Where there are no branches the choice waits for a network that has some.
        if let Some(last) = untrack(|| self.branches()).checked_sub(1) {
            self.branch.update(|branch| *branch = (*branch).min(last));
        }
    }

    pub fn choose_branch(&self, branch: usize) {
        self.branch.set(branch);
        self.leave_class();
    }

    pub fn choose_view(&self, view: View) {
        // The last feature map has other cells than the unit's maps.
        if (view == View::Class) != (self.view.get_untracked() == View::Class) {
            self.cell.set(None);
        }
        self.view.set(view);
    }

    pub fn choose_class(&self, class: usize) {
        self.class.set(Some(class));
        self.choose_view(View::Class);
    }

    /// A class activation map knows no unit and no branch: who chooses one wants to see it.
    fn leave_class(&self) {
        if self.view.get_untracked() == View::Class {
            let has_units = untrack(|| self.branches()) > 0;
            self.choose_view(if has_units { View::Contribution } else { View::Features });
        }
    }
}
