use super::{Graph, Op, Step, ValueId};
use crate::order;

/// A run of stored elements in one of the buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub buffer: usize,
    /// Where it begins: a multiple of [`ALIGNMENT`].
    pub first: usize,
    pub elements: usize,
}

/// Elements that every WebGPU device lets a binding begin at: 256 bytes.
const ALIGNMENT: usize = 64;

impl Room {
    /// Where another may begin behind it.
    fn end(&self) -> usize {
        (self.first + self.elements).next_multiple_of(ALIGNMENT)
    }
}

/// Buffers shared by values, which lie beside those that are alive with them and over those that are not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// Values that each buffer holds, in stored elements.
    pub buffers: Vec<usize>,
    /// Stored elements alive at the busiest step: no reuse can do with less.
    pub peak: usize,
    /// Of each node's value the room of the whole that it is a part of, and its first channel in that (other than 0
    /// for slices and the parts of a concatenation). Empty where no step makes the value.
    places: Vec<(Room, usize)>,
    /// For each step what its kernels pass on among themselves.
    scratch: Vec<Vec<Room>>,
}

impl Storage {
    /// Where a step's input or output lies, or the whole that it is a part of.
    pub fn room(&self, id: ValueId) -> Room {
        self.places[id.0].0
    }

    /// The first channel of a step's input or output in its room.
    pub fn channel(&self, id: ValueId) -> usize {
        self.places[id.0].1
    }

    /// What the kernels of a step pass on among themselves, as its plan was asked for.
    pub fn scratch(&self, step: usize) -> &[Room] {
        &self.scratch[step]
    }
}

/// Gives every value and every step's scratch a buffer.
pub(super) fn allocate(graph: &Graph, steps: &[Step], scratch: impl Fn(&Step) -> Vec<usize>) -> Storage {
    let owners = owners(graph);
    // A part of a part lies in the outermost whole.
    let owner = |id: ValueId| {
        let (mut whole, mut channel) = (id, 0);
        while let Some((owner, first)) = owners[whole.0] {
            (whole, channel) = (owner, channel + first);
        }
        (whole, channel)
    };

    // From the step that makes a value to the last that reads it; a step never writes over its own input.
    let mut lives = vec![Life::default(); graph.nodes.len()];
    let mut touch = |id: ValueId, step: usize| {
        let (root, _) = owner(id);
        let life = &mut lives[root.0];
        if life.elements == 0 {
            *life = Life { elements: graph.shape(root).stored_elements(), first: step, last: step };
        }
        life.last = step;
    };
    touch(ValueId(0), 0);
    for (index, step) in steps.iter().enumerate() {
        step.inputs.iter().chain([&step.output]).for_each(|id| touch(*id, index));
    }
    // The input and what a run leaves to be read stay until the end.
    graph.taps().into_iter().chain([ValueId(0)]).for_each(|id| touch(id, steps.len()));

    // Scratch follows the values of all nodes.
    let mut scratch_of = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        let start = lives.len();
        lives.extend(scratch(step).into_iter().map(|elements| Life { elements, first: index, last: index }));
        scratch_of.push(start..lives.len());
    }
    // A device refuses to read and write one buffer in one dispatch, be it at different places.
    let mut apart = vec![Vec::new(); lives.len()];
    for (step, scratch) in steps.iter().zip(&scratch_of) {
        let read = step.inputs.iter().map(|&id| owner(id).0.0);
        let written: Vec<usize> = scratch.clone().chain([owner(step.output).0.0]).collect();
        for other in read.chain(written.clone()) {
            for &one in written.iter().filter(|&&one| one != other) {
                apart[one].push(other);
                apart[other].push(one);
            }
        }
    }
    // What is large, lives long or stays for good is hard to place later. Neither of these orders is the better for
    // every network; the better of both takes at most 1.26 times the peak, in all of the zoo.
    let long = |life: &Life| life.elements as f32 * ((1 + life.last - life.first) as f32).sqrt().sqrt();
    let staying = |life: &Life| life.elements as f32 * if life.last == steps.len() { 4.0 } else { 1.0 };
    let keys: [&dyn Fn(&Life) -> f32; 2] = [&long, &staying];
    let [one, other] = keys.map(|key| share(&lives, &apart, key));
    let total = |shared: &(Vec<Room>, Vec<usize>)| shared.1.iter().sum::<usize>();
    let (rooms, buffers) = if total(&one) <= total(&other) { one } else { other };
    let live = |step: usize| lives.iter().filter(|life| life.spans(step)).map(|life| life.elements).sum();
    let peak = (0..steps.len()).map(live).max().unwrap_or(0);
    let places =
        (0..graph.nodes.len()).map(ValueId).map(owner).map(|(root, channel)| (rooms[root.0], channel)).collect();
    let scratch = scratch_of.into_iter().map(|range| rooms[range].to_vec()).collect();
    Storage { buffers, peak, places, scratch }
}

/// How long something needs memory, and how much: none by default.
#[derive(Clone, Default)]
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

/// Where each life lies, and the elements of each buffer. Those of the largest `key` choose first, each the narrowest
/// gap among those that are alive with it, or the end of the buffer that has to grow least ("greedy by size for
/// offset calculation" of arXiv 2001.03288, in several buffers). `apart`: for each life those that must lie in other
/// buffers.
fn share(lives: &[Life], apart: &[Vec<usize>], key: &dyn Fn(&Life) -> f32) -> (Vec<Room>, Vec<usize>) {
    let order = order::positions(lives.len(), &mut |one, other| key(&lives[other]).total_cmp(&key(&lives[one])));
    // No buffer grows beyond the largest life, so that a device which can bind that can bind all.
    let most = lives.iter().map(|life| life.elements).max().unwrap_or(0);
    let mut rooms = vec![Room::default(); lives.len()];
    let mut sizes: Vec<usize> = Vec::new();
    let mut placed: Vec<usize> = Vec::new();
    let mut is_placed = vec![false; lives.len()];
    for index in order {
        let life = &lives[index];
        if life.elements == 0 {
            break;
        }
        let mut best = (life.elements, usize::MAX, Room { buffer: sizes.len(), first: 0, elements: life.elements });
        for (buffer, &size) in sizes.iter().enumerate() {
            if apart[index].iter().any(|&other| is_placed[other] && rooms[other].buffer == buffer) {
                continue;
            }
            let alive = placed.iter().filter(|&&other| rooms[other].buffer == buffer && lives[other].meets(life));
            let taken: Vec<Room> = alive.map(|&other| rooms[other]).collect();
            // Where it may begin: at the start, or behind one that is alive with it.
            for first in taken.iter().map(Room::end).chain([0]) {
                let room = Room { buffer, first, elements: life.elements };
                let next = taken.iter().filter(|other| other.end() > first).map(|other| other.first).min();
                let limit = next.unwrap_or(most);
                if first + life.elements <= limit {
                    let growth = (first + life.elements).saturating_sub(size);
                    let gap = next.unwrap_or(size).saturating_sub(first);
                    if (growth, gap) < (best.0, best.1) {
                        best = (growth, gap, room);
                    }
                }
            }
        }
        let (growth, _, room) = best;
        if room.buffer == sizes.len() {
            sizes.push(0);
        }
        sizes[room.buffer] += growth;
        rooms[index] = room;
        placed.push(index);
        is_placed[index] = true;
    }
    (rooms, sizes)
}

/// For each node whose value is a part of a concatenation or a slice: the whole, and the part's first channel in it.
fn owners(graph: &Graph) -> Vec<Option<(ValueId, usize)>> {
    let mut owners = vec![None; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Op::Slice { first, .. } = node.op {
            owners[index] = Some((node.inputs[0], first));
        }
        if node.op == Op::Concat {
            let mut channel = 0;
            for part in &node.inputs {
                owners[part.0] = Some((ValueId(index), channel));
                channel += graph.shape(*part).channels;
            }
        }
    }
    let whole_blocks = owners.iter().flatten().all(|(_, channel)| channel.is_multiple_of(4));
    assert!(whole_blocks, "parts start at whole blocks of four channels: {owners:?}");
    owners
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{Conv, Net, Plan, Shape};
    use super::{Life, Room, share};

    fn overlap(one: Room, other: Room) -> bool {
        one.buffer == other.buffer && one.first < other.first + other.elements && other.first < one.first + one.elements
    }

    #[test]
    fn lives_that_meet_lie_side_by_side() {
        // Two short ones fit where a long one was; what has to be apart is.
        let life = |elements, first, last| Life { elements, first, last };
        let lives = [life(1000, 0, 1), life(400, 1, 9), life(500, 2, 5), life(300, 3, 5), life(100, 6, 9)];
        let mut apart = vec![Vec::new(); lives.len()];
        apart[2].push(3);
        apart[3].push(2);
        let (rooms, buffers) = share(&lives, &apart, &|life| life.elements as f32);
        for (index, one) in lives.iter().enumerate() {
            assert!(rooms[index].first + one.elements <= buffers[rooms[index].buffer] && rooms[index].first % 64 == 0);
            let others = lives.iter().enumerate().filter(|(other, life)| *other != index && life.meets(one));
            others.for_each(|(other, _)| assert!(!overlap(rooms[index], rooms[other]), "{index} and {other}"));
        }
        assert_ne!(rooms[2].buffer, rooms[3].buffer);
        assert_eq!(buffers, [1000, 400, 300]);
    }

    #[test]
    fn a_step_never_writes_over_what_it_reads() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let y = net.conv("conv1", x, Conv::new(1, 4));
        let shortcut = net.conv("conv2", x, Conv::new(1, 4));
        let y = net.add(y, shortcut);
        let plan = Plan::new(&net.finish(y, "fc", 3));
        for step in &plan.steps {
            let out = plan.storage.room(step.output).buffer;
            assert!(step.inputs.iter().all(|id| plan.storage.room(*id).buffer != out), "{step:?}");
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
        // Input, features and two that take turns; pooled vector and logits lie over one of these or beside another.
        assert!(plan.storage.buffers.iter().sum::<usize>() < 5 * 256, "{:?}", plan.storage.buffers);
        let features = plan.storage.room(plan.steps[9].output);
        assert!(plan.steps[10..].iter().all(|step| !overlap(plan.storage.room(step.output), features)));
    }

    #[test]
    fn parts_of_a_concatenation_share_its_buffer() {
        let (mut net, x) = Net::new(Shape::new(4, 4, 4));
        let a = net.conv("a", x, Conv::new(3, 8));
        let b = net.conv("b", x, Conv::new(3, 4));
        let joined = net.concat(&[a, b]);
        let graph = net.finish(joined, "fc", 3);
        let storage = Plan::new(&graph).storage;
        assert_eq!([storage.room(a), storage.room(b)], [storage.room(joined); 2]);
        assert_eq!([storage.channel(a), storage.channel(b)], [0, 8]);
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
            let values = step.inputs.iter().chain([&step.output]).map(|id| plan.storage.room(*id));
            let used: HashSet<usize> = values.chain([*large, *small]).map(|room| room.buffer).collect();
            assert_eq!(used.len(), 4, "{step:?}");
            assert_eq!([large.elements, small.elements], [700, 300]);
        }
        assert!(plan.storage.scratch(4).is_empty());
        assert!(plan.storage.peak >= 700 + 300 + 2 * 256);
    }
}
