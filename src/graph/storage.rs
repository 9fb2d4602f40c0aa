use std::collections::HashMap;

use super::{Graph, Op, Step, ValueId};
use crate::order;

/// Where a value lies: a buffer, and the first channel of the value in it (other than 0 for slices and the
/// parts of a concatenation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub buffer: usize,
    pub channel: usize,
}

/// Buffers shared by values that are never alive together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// Values that each buffer holds, in stored elements.
    pub buffers: Vec<usize>,
    /// Stored elements alive at the busiest step: no reuse can do with less.
    pub peak: usize,
    places: HashMap<ValueId, Place>,
    /// For each step the buffers that its kernels pass on among themselves.
    scratch: Vec<Vec<usize>>,
}

impl Storage {
    /// Where the value of a step's input or output lies.
    pub fn place(&self, id: ValueId) -> Place {
        self.places[&id]
    }

    /// The buffers that the kernels of a step pass on among themselves, as its plan was asked for.
    pub fn scratch(&self, step: usize) -> &[usize] {
        &self.scratch[step]
    }
}

/// Gives every value and every step's scratch a buffer.
pub(super) fn allocate(graph: &Graph, steps: &[Step], scratch: impl Fn(&Step) -> Vec<usize>) -> Storage {
    let owners = owners(graph);
    // A part of a part lies in the outermost whole.
    let owner = |id: ValueId| {
        let (mut whole, mut channel) = (id, 0);
        while let Some(&(owner, first)) = owners.get(&whole) {
            (whole, channel) = (owner, channel + first);
        }
        (whole, channel)
    };

    // From the step that makes a value to the last that reads it; a step never writes over its own input.
    let mut lives: Vec<Option<Life>> = vec![None; graph.nodes.len()];
    let mut touch = |id: ValueId, step: usize| {
        let (root, _) = owner(id);
        let life = Life { elements: graph.shape(root).stored_elements(), first: step, last: step };
        lives[root.0].get_or_insert(life).last = step;
    };
    touch(ValueId(0), 0);
    for (index, step) in steps.iter().enumerate() {
        step.inputs.iter().chain([&step.output]).for_each(|id| touch(*id, index));
    }
    // The input and what a run leaves to be read stay until the end.
    graph.taps().into_iter().chain([ValueId(0)]).for_each(|id| touch(id, steps.len()));

    let lives = lives.into_iter().enumerate().filter_map(|(id, life)| Some((ValueId(id), life?)));
    let (roots, mut all): (Vec<ValueId>, Vec<Life>) = lives.unzip();
    let mut scratch_of = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        let start = all.len();
        all.extend(scratch(step).into_iter().map(|elements| Life { elements, first: index, last: index }));
        scratch_of.push(start..all.len());
    }
    let (buffer_of, buffers) = share(&all);
    let live = |step: usize| all.iter().filter(|life| life.spans(step)).map(|life| life.elements).sum();
    let peak = (0..steps.len()).map(live).max().unwrap_or(0);
    let place = |id: ValueId| {
        let (root, channel) = owner(id);
        let index = roots.binary_search(&root).expect("whatever is a part of a value that lives");
        (id, Place { buffer: buffer_of[index], channel })
    };
    let places = roots.iter().chain(owners.keys()).map(|&id| place(id)).collect();
    let scratch = scratch_of.into_iter().map(|range| buffer_of[range].to_vec()).collect();
    Storage { buffers, peak, places, scratch }
}

/// How long something needs memory, and how much.
#[derive(Clone)]
struct Life {
    elements: usize,
    /// The first and the last step at which it does.
    first: usize,
    last: usize,
}

impl Life {
    fn spans(&self, step: usize) -> bool {
        (self.first..=self.last).contains(&step)
    }

    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The buffer of each life, and the elements of each buffer: the largest lives choose first, each the smallest
/// buffer that is free for as long as it lasts ("greedy by size" of arXiv 2001.03288).
fn share(lives: &[Life]) -> (Vec<usize>, Vec<usize>) {
    let order = order::positions(lives.len(), &mut |one, other| lives[other].elements.cmp(&lives[one].elements));
    let mut buffer_of = vec![0; lives.len()];
    let mut buffers: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let free = |held: &&mut Vec<usize>| held.iter().all(|&other| !lives[other].meets(&lives[index]));
        // Later buffers are smaller, and all are large enough.
        let best = buffers.iter_mut().enumerate().rev().find(|(_, held)| free(held));
        match best {
            Some((buffer, held)) => {
                held.push(index);
                buffer_of[index] = buffer;
            }
            None => {
                buffer_of[index] = buffers.len();
                buffers.push(vec![index]);
            }
        }
    }
    (buffer_of, buffers.iter().map(|held| lives[held[0]].elements).collect())
}

/// For each part of a concatenation and each slice: the whole, and the part's first channel in it.
fn owners(graph: &Graph) -> HashMap<ValueId, (ValueId, usize)> {
    let mut owners = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Op::Slice { first, .. } = node.op {
            owners.insert(ValueId(index), (node.inputs[0], first));
        }
        if node.op == Op::Concat {
            let mut channel = 0;
            for part in &node.inputs {
                owners.insert(*part, (ValueId(index), channel));
                channel += graph.shape(*part).channels;
            }
        }
    }
    let whole_blocks = owners.values().all(|(_, channel)| channel.is_multiple_of(4));
    assert!(whole_blocks, "parts start at whole blocks of four channels: {owners:?}");
    owners
}

#[cfg(test)]
mod tests {
    use super::super::{Conv, Net, Plan, Shape};

    #[test]
    fn a_step_never_writes_over_what_it_reads() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let y = net.conv("conv1", x, Conv::new(1, 4));
        let shortcut = net.conv("conv2", x, Conv::new(1, 4));
        let y = net.add(y, shortcut);
        let plan = Plan::new(&net.finish(y, "fc", 3));
        for step in &plan.steps {
            let out = plan.storage.place(step.output).buffer;
            assert!(step.inputs.iter().all(|id| plan.storage.place(*id).buffer != out), "{step:?}");
        }
    }

    #[test]
    fn buffers_are_reused_but_taps_are_not() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let mut y = x;
        for layer in 0..10 {
            y = net.scope(layer, |net| net.conv("conv", y, Conv::new(3, 4)));
        }
        let plan = Plan::new(&net.finish(y, "fc", 3));
        // Input, two that take turns, the features, the pooled vector and the logits at most.
        assert!(plan.storage.buffers.len() <= 6, "{:?}", plan.storage.buffers);
        let features = plan.storage.place(plan.steps[9].output).buffer;
        assert!(plan.steps[10..].iter().all(|step| plan.storage.place(step.output).buffer != features));
    }

    #[test]
    fn parts_of_a_concatenation_share_its_buffer() {
        let (mut net, x) = Net::new(Shape::new(4, 4, 4));
        let a = net.conv("a", x, Conv::new(3, 8));
        let b = net.conv("b", x, Conv::new(3, 4));
        let joined = net.concat(&[a, b]);
        let graph = net.finish(joined, "fc", 3);
        let storage = Plan::new(&graph).storage;
        let (whole, a, b) = (storage.place(joined), storage.place(a), storage.place(b));
        assert_eq!((a.buffer, b.buffer, a.channel, b.channel), (whole.buffer, whole.buffer, 0, 8));
    }

    #[test]
    fn scratch_is_nobody_elses_while_its_step_runs() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let mut y = x;
        for layer in 0..4 {
            y = net.scope(layer, |net| net.conv("conv", y, Conv::new(3, 4)));
        }
        let graph = net.finish(y, "fc", 3);
        let plan = Plan::with_scratch(&graph, |step| match graph.shape(step.output).pixels() {
            64 => vec![700, 300],
            _ => Vec::new(),
        });
        for (index, step) in plan.steps[..4].iter().enumerate() {
            let [large, small] = plan.storage.scratch(index) else { panic!("two buffers were asked for") };
            let values = step.inputs.iter().chain([&step.output]).map(|id| plan.storage.place(*id).buffer);
            let mut used: Vec<usize> = values.chain([*large, *small]).collect();
            used.sort_unstable();
            used.dedup();
            assert_eq!(used.len(), 4, "{step:?}");
            assert!(plan.storage.buffers[*large] >= 700 && plan.storage.buffers[*small] >= 300);
        }
        assert!(plan.storage.scratch(4).is_empty());
        assert!(plan.storage.peak >= 700 + 300 + 2 * 256);
    }
}
