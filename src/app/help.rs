//! The keys, in a dialog behind '?'.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::dom;
use super::parts::Check;

/// Where it is remembered that the character keys are off.
const CHARACTERS: &str = "splitlens character keys";

/// Opens the dialog from elsewhere, with the '?' key, and says which keys are heard.
#[derive(Clone, Copy)]
pub struct Help {
    dialog: NodeRef<Dialog>,
    /// Whether keys that type a character do something on the page; remembered between visits.
    pub characters: RwSignal<bool>,
}

impl Help {
    pub fn new() -> Self {
        let off = || dom::storage()?.get_item(CHARACTERS).ok()?;
        let characters = RwSignal::new(off().is_none());
        Effect::watch(move || characters.get(), |on, _, _| remember(*on), false);
        Self { dialog: NodeRef::new(), characters }
    }

    pub fn toggle(&self) {
        let Some(dialog) = self.dialog.get_untracked() else { return };
        if dialog.open() {
            dialog.close();
        } else if let Err(error) = dialog.show_modal() {
            leptos::logging::error!("{}", dom::message(&error));
        }
    }
}

/// A browser that keeps nothing hears them again on the next visit.
fn remember(on: bool) {
    if let Some(storage) = dom::storage() {
        let _ = match on {
            true => storage.remove_item(CHARACTERS),
            false => storage.set_item(CHARACTERS, "off"),
        };
    }
}

#[component]
pub fn HelpButton() -> impl IntoView {
    let help = expect_context::<Help>();
    view! {
        <button class="round" type="button" aria-label="Help and keys" title="Help and keys" data-testid="help"
            on:click=move |_| help.toggle()>"?"</button>
    }
}

/// What the page shows, for who is new to it.
#[component]
pub fn About() -> impl IntoView {
    view! {
        <p>
            "SplitLens runs an image network in your browser and shows where its attention goes. A unit of attention "
            "makes one or more branches of features and weighs them by gates, one number per channel and branch. Gates "
            "have no place in the picture: a map of contributions multiplies them with the activations that they weigh, "
            "and sums over the channels. Below every picture stands what it shows."
        </p>
        <p>
            "Choose a unit by its depth in the network, then a branch, to see what it contributes where; a class, to see "
            "where the evidence for it lies; a channel, to see its feature maps and how they are weighed. Put other gates "
            "in place of a unit’s own to see what the network would answer with less attention, or none."
        </p>
        <p>
            "Drop a picture anywhere, paste one, or open a file. It stays on your machine. So do weights: drop a "
            ".safetensors file, and the page finds out which network it is of."
        </p>
    }
}

#[component]
pub fn HelpDialog() -> impl IntoView {
    let help = expect_context::<Help>();
    let keys: [(&str, &str); 6] = [
        ("← →", "the unit or layer before and the next"),
        ("↑ ↓", "the branch or group before and the next"),
        ("1, 2, …", "the kinds of map, in the order of their tabs"),
        ("[ ]", "the network before and the next, of those at hand"),
        ("?", "this dialog"),
        ("Esc", "takes the mark off the picture, and hides what a word means"),
    ];
    let row = |(key, meaning): (&'static str, &'static str)| view! { <dt><kbd>{key}</kbd></dt><dd>{meaning}</dd> };
    view! {
        <dialog class="help" node_ref=help.dialog aria-labelledby="help-title" data-testid="help-dialog">
            <h2 id="help-title" tabindex="-1" autofocus>"What this is"</h2>
            <About/>
            <h2>"Keys"</h2>
            <dl>{keys.map(row).collect_view()}</dl>
            <p class="muted">
                "On the picture the arrow keys walk from cell to cell, on the strip of gates from channel to channel."
            </p>
            <Check label="Keys that type a character (1, 2, …, [, ], ?) work on the page" testid="character-keys"
                on=help.characters choose=move |on| help.characters.set(on)/>
            <form method="dialog"><button class="primary">"Close"</button></form>
        </dialog>
    }
}
