//! Sorting that is compiled once: every `sort_by` of another type or comparison is an instance of the standard
//! library's sort of its own, five kilobytes each of a program that visitors wait for.

use std::cmp::Ordering;

/// The positions `0..count` as `compare` orders them; equal ones keep their order.
pub fn positions(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..count).collect();
    positions.sort_by(|one, other| compare(*one, *other));
    positions
}

/// The items as `compare` orders them; equal ones keep their order.
pub fn sorted<T>(items: Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    let order = positions(items.len(), &mut |one, other| compare(&items[one], &items[other]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|position| items[position].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_keep_their_order() {
        let words = ["pear", "fig", "plum", "kiwi", "yam"];
        let by_length = |one: usize, other: usize| words[one].len().cmp(&words[other].len());
        assert_eq!(positions(words.len(), &mut { by_length }), [1, 4, 0, 2, 3]);
        let sorted = sorted(words.map(String::from).to_vec(), |one, other| one.len().cmp(&other.len()));
        assert_eq!(sorted, ["fig", "yam", "pear", "plum", "kiwi"]);
        assert_eq!(positions(0, &mut |_, _| Ordering::Equal), [0; 0]);
    }
}
