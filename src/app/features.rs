//! What a network without units has to show: its layers, and of the chosen one a map for each group of channels.

use std::sync::Arc;

use leptos::prelude::*;

use super::state::{Analysis, State, View};
use crate::graph::Tensor;
use crate::reading::LayerReading;
use crate::vision::{Map, Range, RangeScope, most_varied};

/// Most groups that are shown at once: as many as ResNeXt has, few enough to see.
pub const MOST_GROUPS: usize = 32;

/// Maps of the groups of one layer.
pub struct GroupMaps {
    pub run: u64,
    /// Position in [`Reading::layers`](crate::reading::Reading::layers).
    pub layer: usize,
    /// `[groups, H, W]`
    pub tensor: Tensor,
    /// The groups on show: all in order, or those that vary most first where there are more than [`MOST_GROUPS`].
    pub shown: Vec<usize>,
    /// Of every group's map.
    pub range: Range,
}

impl GroupMaps {
    pub fn new(run: u64, layer: usize, tensor: Tensor) -> Self {
        let groups = tensor.shape.channels;
        let shown = if groups > MOST_GROUPS { most_varied(&tensor, MOST_GROUPS) } else { Vec::from_iter(0..groups) };
        let maps: Vec<Map> = (0..groups).map(|group| Map::of_channel(&tensor, group)).collect();
        Self { run, layer, shown, range: Range::fitting(&maps), tensor }
    }

    pub fn map(&self, group: usize) -> Map {
        Map::of_channel(&self.tensor, group)
    }
}

impl State {
    /// Reads the chosen layer; `None` before the first analysis and for a network with units.
    pub fn with_layer<T>(&self, read: impl FnOnce(&LayerReading) -> T) -> Option<T> {
        let layer = self.unit.get();
        self.analysis.with(|analysis| analysis.as_ref()?.reading.layers.get(layer).map(read))
    }

    /// Group maps of the chosen layer in the run that is shown, if they have arrived.
    pub fn current_groups(&self) -> Option<Arc<GroupMaps>> {
        let layer = self.unit.get();
        let run = self.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.run));
        self.groups.get().filter(|maps| maps.layer == layer && Some(maps.run) == run)
    }

    /// The group whose map is shown; `None` is the mean of all channels.
    pub fn shown_group(&self) -> Option<usize> {
        let groups = self.with_layer(|layer| layer.groups).unwrap_or(0);
        self.group.get().filter(|group| *group < groups)
    }

    /// Lays a group's map over the picture, or the mean of all.
    pub fn choose_group(&self, group: Option<usize>) {
        self.group.set(group);
        self.choose_view(View::Features);
    }

    /// What there is to choose from: the mean of all channels, then the groups on show unless there is only one, and
    /// the chosen one, which may vary less than those in another picture.
    pub fn group_choices(&self) -> Vec<Option<usize>> {
        let groups = self.current_groups().map(|maps| maps.shown.clone()).filter(|shown| shown.len() > 1);
        let groups = groups.unwrap_or_default();
        let chosen = self.shown_group().filter(|group| !groups.is_empty() && !groups.contains(group));
        std::iter::once(None).chain(groups.into_iter().chain(chosen).map(Some)).collect()
    }
}

/// The chosen map and the range that it is painted in.
pub fn chosen(state: State, analysis: &Analysis) -> Option<(Map, Range)> {
    let mean = Map::of_channel(&analysis.reading.layers.get(state.unit.get())?.mean, 0);
    let groups = state.current_groups();
    let map = match state.shown_group() {
        None => mean,
        Some(group) => groups.as_ref()?.map(group),
    };
    let range = match (state.scope.get(), groups) {
        // The mean over all channels lies between those of the groups.
        (RangeScope::Unit | RangeScope::Network, Some(maps)) => maps.range,
        _ => Range::fitting([&map]),
    };
    Some((map, range))
}
