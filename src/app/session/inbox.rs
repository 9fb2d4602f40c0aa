//! What the worker is to do, as left there by whoever wants it.

use std::cell::{Cell, RefCell};

use web_sys::File;

use super::Wish;
use crate::app::intake::Source;

/// What waits to be done, the most urgent first.
#[derive(Default)]
pub(super) struct Inbox {
    /// Why the device was lost.
    pub lost: RefCell<Option<String>>,
    /// Files of which one is a checkpoint, to find out which network it is of.
    pub checkpoint: RefCell<Option<Vec<File>>>,
    pub wish: RefCell<Option<Wish>>,
    pub picture: RefCell<Option<Source>>,
    /// Whether other gates are wanted, see `State::replacements`.
    pub gates: Cell<bool>,
    /// A unit whose activations are to be read back.
    pub unit: Cell<Option<usize>>,
    /// A layer whose group maps are to be read back.
    pub layer: Cell<Option<usize>>,
}

impl Inbox {
    /// Whether reading a picture is no longer worth the while.
    pub fn has_more_urgent_than_reading(&self) -> bool {
        self.has_more_urgent_than_opening() || self.picture.borrow().is_some()
    }

    /// Whether fetching a network's weights is no longer worth the while.
    pub fn has_more_urgent_than_opening(&self) -> bool {
        self.lost.borrow().is_some() || self.checkpoint.borrow().is_some() || self.wish.borrow().is_some()
    }
}
