//! Keys that work wherever the focus is, unless something nearer has a use for them.

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::help::Help;
use super::lens;
use super::parts::hide_terms;
use super::session::Session;
use super::state::State;
use crate::arch::Variant;
use crate::arch::zoo::VARIANTS;

/// Hears the keys for as long as the page lives.
pub fn listen(state: State, session: Session, help: Help) {
    let handle = window_event_listener(ev::keydown, move |event| on_key(&event, state, session, help));
    on_cleanup(move || handle.remove());
}

fn on_key(event: &KeyboardEvent, state: State, session: Session, help: Help) {
    let key = event.key();
    // Speech that is taken for typing would press them: WCAG 2.1.4 asks that they can be switched off.
    if is_character(&key) && !help.characters.get_untracked() {
        return;
    }
    if key == "Escape" {
        // It closes what else listens, and takes nothing from it.
        hide_terms(true);
    }
    if event.default_prevented() || is_command(event, &key) || is_taken(event) {
        return;
    }
    match key.as_str() {
        "?" => help.toggle(),
        "Escape" => return state.cell.set(None),
        "[" | "]" => match neighbour(state, session, key == "]") {
            Some(variant) => session.choose(variant),
            None => return,
        },
        "ArrowLeft" | "ArrowRight" => {
            let stops = state.analysis.with_untracked(|a| a.as_ref().map_or(0, |a| a.reading.stops().len()));
            let (unit, forward) = (state.unit.get_untracked(), key == "ArrowRight");
            match forward {
                true if unit + 1 < stops => state.choose_unit(unit + 1),
                false if unit > 0 => state.choose_unit(unit - 1),
                _ => return,
            }
        }
        "ArrowUp" | "ArrowDown" => {
            let (branches, groups) = untrack(|| (state.branches(), state.group_choices()));
            let forward = key == "ArrowDown";
            match (branches, groups.len()) {
                (2.., _) => state.choose_branch(step(state.branch.get_untracked(), branches, forward)),
                (0, 2..) => {
                    let chosen = untrack(|| state.shown_group());
                    let chosen = groups.iter().position(|group| *group == chosen).unwrap_or(0);
                    state.choose_group(groups[step(chosen, groups.len(), forward)]);
                }
                _ => return,
            }
        }
        digit => {
            let views = untrack(|| lens::views(state));
            let number: Option<usize> = digit.parse().ok();
            match number.and_then(|number| views.get(number.checked_sub(1)?)) {
                Some(view) => state.choose_view(*view),
                None => return,
            }
        }
    }
    event.prevent_default();
}

/// The next network, or the one before, of those that can be opened at once.
fn neighbour(state: State, session: Session, forward: bool) -> Option<&'static Variant> {
    let all: Vec<&'static Variant> = VARIANTS.iter().filter(|variant| session.has(variant)).collect();
    let chosen = state.variant.get_untracked();
    let position = all.iter().position(|variant| variant.id == chosen.id);
    let next = match position {
        Some(position) => step(position, all.len(), forward),
        None => 0,
    };
    all.get(next).copied().filter(|variant| variant.id != chosen.id)
}

/// One further or back, around the ends.
fn step(position: usize, count: usize, forward: bool) -> usize {
    (position + if forward { 1 } else { count - 1 }) % count
}

/// Whether the key types a character, where others have names: `ArrowLeft`.
fn is_character(key: &str) -> bool {
    key.chars().count() == 1
}

/// Whether modifiers make the key a command of the browser's or the system's. Many layouts have brackets and the
/// question mark behind AltGr or Option only, and on Windows AltGr counts as Ctrl with Alt.
fn is_command(event: &KeyboardEvent, key: &str) -> bool {
    let may_need_alt = matches!(key, "[" | "]" | "?");
    let is_typed = may_need_alt && event.get_modifier_state("AltGraph");
    event.meta_key() || event.ctrl_key() && !is_typed || event.alt_key() && !may_need_alt
}

/// Whether the focus is on something that makes its own use of keys.
fn is_taken(event: &KeyboardEvent) -> bool {
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    target.is_some_and(|target| {
        target.closest("input, select, textarea, dialog, .table-scroll").is_ok_and(|found| found.is_some())
    })
}
