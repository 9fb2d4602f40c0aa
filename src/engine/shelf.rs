/// Keeps what was used last within a budget of memory: networks, so that coming back to one is immediate, or files.
#[derive(Debug)]
pub struct Shelf<K, T> {
    budget_bytes: u64,
    /// The least recently used first.
    items: Vec<Item<K, T>>,
}

#[derive(Debug)]
struct Item<K, T> {
    key: K,
    value: T,
    bytes: u64,
}

impl<K: PartialEq, T: Clone> Shelf<K, T> {
    pub fn new(budget_bytes: u64) -> Self {
        Self { budget_bytes, items: Vec::new() }
    }

    /// The item with this key, which is now the most recently used.
    pub fn get(&mut self, key: &K) -> Option<T> {
        let position = self.items.iter().position(|item| item.key == *key)?;
        let item = self.items.remove(position);
        let value = item.value.clone();
        self.items.push(item);
        Some(value)
    }

    /// Adds an item in place of the one with its key, and lets go of the least recently used ones until all fit
    /// the budget. The new one stays even if it is too large alone.
    pub fn put(&mut self, key: K, value: T, bytes: u64) {
        self.remove(&key);
        self.make_room(bytes);
        self.items.push(Item { key, value, bytes });
    }

    /// Lets go of the least recently used items until `bytes` more fit the budget, or nothing is left.
    pub fn make_room(&mut self, bytes: u64) {
        while !self.items.is_empty() && self.bytes().saturating_add(bytes) > self.budget_bytes {
            self.items.remove(0);
        }
    }

    pub fn remove(&mut self, key: &K) {
        self.items.retain(|item| item.key != *key);
    }

    pub fn clear(&mut self) {
        self.items.clear();
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.items.iter().map(|item| &item.key)
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What all items take.
    pub fn bytes(&self) -> u64 {
        self.items.iter().map(|item| item.bytes).sum()
    }

    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut shelf = Shelf::new(100);
        for (key, bytes) in [("a", 40), ("b", 40), ("c", 20)] {
            shelf.put(key, key.len(), bytes);
        }
        assert_eq!(shelf.get(&"a"), Some(1));
        shelf.put("d", 1, 30);
        assert_eq!((shelf.get(&"b"), shelf.bytes()), (None, 90));
        assert_eq!((shelf.get(&"a"), shelf.get(&"c"), shelf.len()), (Some(1), Some(1), 3));
    }

    #[test]
    fn one_key_is_kept_once() {
        let mut shelf = Shelf::new(100);
        shelf.put("a", 1, 60);
        shelf.put("a", 2, 70);
        assert_eq!((shelf.get(&"a"), shelf.len(), shelf.bytes()), (Some(2), 1, 70));
    }

    #[test]
    fn what_is_too_large_alone_is_kept_alone() {
        let mut shelf = Shelf::new(100);
        shelf.put("a", 1, 60);
        shelf.put("b", 2, 1000);
        assert_eq!((shelf.get(&"a"), shelf.get(&"b")), (None, Some(2)));
        shelf.make_room(10);
        assert!(shelf.is_empty());
    }
}
