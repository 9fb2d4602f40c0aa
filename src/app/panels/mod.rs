//! The panels of the page, one file each.

mod channel;
mod classes;
mod depth;
mod display;
mod explain;
mod explain_features;
mod explain_replaced;
mod groups;
mod header;
mod layers;
mod legend;
mod library;
mod networks;
mod offer;
mod picture;
mod prediction;
mod puzzle;
mod rail;
mod readout;
mod speed;
mod strip;
mod tabs;
mod what_if;

pub use channel::Channel;
pub use depth::Depth;
pub use display::Display;
pub use explain::Explain;
pub use groups::Groups;
pub use header::{Footer, Header};
pub use layers::Layers;
pub use legend::Legend;
pub use library::Library;
pub use networks::NETWORK_ID;
pub use offer::Offers;
pub use picture::{PICTURE_ID, PictureView};
pub use prediction::PredictionList;
pub use puzzle::PuzzleCard;
pub use readout::Readout;
pub use speed::SpeedPanel;
pub use strip::Strip;
pub use tabs::Tabs;
pub use what_if::{ReplacedBanner, WhatIfPanel};

use leptos::prelude::*;

/// Which colour stands for which branch.
fn legend_of_branches(branches: usize) -> impl IntoView + use<> {
    let item = |branch: usize| {
        view! { <li><span class=format!("swatch branch-{branch}")></span>{format!("branch {}", branch + 1)}</li> }
    };
    view! { <ul class="branch-legend">{(0..branches).map(item).collect_view()}</ul> }
}
