use super::{EngineError, steps};
use crate::gpu::{Buffer, Slice};
use crate::graph::{Graph, Layer, Plan, Shape, Tensor, Unit, ValueId};
use crate::kernels::unpack_activation;
use crate::reading::{Gates, LayerReading, Reading, UnitReading};

/// Shape of the maps that a unit leaves: contribution and activation of each branch, and the output.
fn maps_shape(graph: &Graph, unit: &Unit) -> Shape {
    graph.shape(unit.output).with_channels(2 * unit.kind.branches() + 1)
}

/// Shape of the map that a layer leaves: the mean over its channels.
fn mean_shape(graph: &Graph, layer: &Layer) -> Shape {
    graph.shape(layer.value).with_channels(1)
}

/// Elements of the buffers of maps that a run leaves: one for each unit, then one for each layer.
pub(super) fn maps_elements(graph: &Graph) -> impl Iterator<Item = usize> {
    let units = graph.units.iter().map(|unit| maps_shape(graph, unit).elements());
    units.chain(graph.layers.iter().map(|layer| mean_shape(graph, layer).elements()))
}

/// Elements that every run reads back: the sum over [`copies`].
pub(super) fn copied_elements(graph: &Graph) -> usize {
    let values = [graph.logits, graph.features].into_iter().chain(graph.units.iter().map(|unit| unit.gates));
    values.map(|id| graph.shape(id).stored_elements()).chain(maps_elements(graph)).sum()
}

/// What every run reads back, in order: logits, features, then gates and maps of each unit and the map of each
/// layer.
pub(super) fn copies<'a>(graph: &Graph, plan: &Plan, storage: &'a [Buffer], maps: &'a [Buffer]) -> Vec<Slice<'a>> {
    let value = |id: ValueId| steps::room(plan.storage.room(id), storage);
    let mut copies = vec![value(graph.logits), value(graph.features)];
    for (unit, maps) in graph.units.iter().zip(maps) {
        copies.push(value(unit.gates));
        copies.push(maps.slice(0, maps_shape(graph, unit).elements()));
    }
    for (layer, mean) in graph.layers.iter().zip(&maps[graph.units.len()..]) {
        copies.push(mean.slice(0, mean_shape(graph, layer).elements()));
    }
    copies
}

/// The reading in what [`copies`] brought back, unless its logits are not finite.
pub(super) fn reading(graph: &Graph, values: &[f32]) -> Result<Reading, EngineError> {
    let mut rest = values;
    let mut take = |elements: usize| {
        let (head, tail) = rest.split_at(elements);
        rest = tail;
        head
    };
    let mut value = |id: ValueId| {
        let shape = graph.shape(id);
        unpack_activation(take(shape.stored_elements()), shape)
    };
    let logits = value(graph.logits).values;
    if !logits.iter().all(|logit| logit.is_finite()) {
        return Err(EngineError::NotFinite);
    }
    let features = value(graph.features);
    let units = graph.units.iter().map(|unit| {
        let shape = graph.shape(unit.gates);
        let gates = take(shape.stored_elements())[..shape.channels].to_vec();
        unit_reading(graph, unit, gates, take(maps_shape(graph, unit).elements()))
    });
    let units = units.collect();
    let layers = graph.layers.iter().map(|layer| {
        let shape = mean_shape(graph, layer);
        LayerReading {
            name: layer.name.clone(),
            groups: layer.groups,
            channels: graph.shape(layer.value).channels,
            mean: Tensor::new(shape, take(shape.elements()).to_vec()),
        }
    });
    Ok(Reading { logits, units, layers: layers.collect(), features })
}

fn unit_reading(graph: &Graph, unit: &Unit, gates: Vec<f32>, maps: &[f32]) -> UnitReading {
    let branches = unit.kind.branches();
    let output = graph.shape(unit.output);
    let pixels = output.pixels();
    let map = |first: usize, count: usize| {
        Tensor::new(output.with_channels(count), maps[first * pixels..][..count * pixels].to_vec())
    };
    UnitReading {
        name: unit.name.clone(),
        kind: unit.kind,
        gates: Gates { branches, channels: output.channels, groups: unit.kind.groups(), values: gates },
        contribution: map(0, branches),
        activation: map(branches, branches),
        output: map(2 * branches, 1),
    }
}
