use std::sync::Arc;

use leptos::html::Input;
use leptos::prelude::*;

use crate::app::dom;
use crate::app::model::{self, Model};
use crate::app::parts::{Choice, Role, Segments};
use crate::app::session::Session;
use crate::app::state::{Notice, State, Tone};
use crate::app::words;
use crate::arch::Variant;
use crate::arch::zoo::{self, FAMILIES, IMAGENET_CLASSES, VARIANTS};
use crate::vision::SIDES;
use crate::weights::Catalogue;

/// Sides of the input that the field proposes, in pixels: what networks are trained and tested at.
const USUAL_SIDES: [usize; 10] = [64, 96, 128, 160, 192, 224, 256, 288, 320, 448];

/// Of the element that takes the focus when what had it is gone with its card.
pub const NETWORK_ID: &str = "network";

/// Which network looks at the picture: its family, its variant, the side of its input, and what is known of it.
#[component]
pub fn Networks() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let choice = |family: &&'static str| Choice { value: *family, id: family.to_lowercase(), label: (*family).into() };
    let families: Vec<Choice<&'static str>> = FAMILIES.iter().map(choice).collect();
    let family = Signal::derive(move || state.variant.get().family);
    let choose = move |family| session.choose(preferred(session, family));
    view! {
        <div class="network" id=NETWORK_ID role="group" aria-label="Network" tabindex="-1">
            <div class="network-row">
                <Segments label="Family of networks" testid="family" role=Role::Tabs choices=Signal::stored(families)
                    chosen=family choose=choose/>
                <VariantSelect/>
                <SideField/>
            </div>
            <p class="muted facts">
                <span data-testid="network">
                    {move || state.model.with(|model| model.as_deref().map(|model| describe(model, state)))}
                </span>
                <Show when=move || others_are_published(state)>
                    <button class="quiet" type="button" data-testid="other-weights"
                        on:click=move |_| {
                            // The button goes while there is an offer.
                            dom::focus(NETWORK_ID);
                            session.offer_others();
                        }>"Other weights"</button>
                </Show>
            </p>
        </div>
    }
}

/// Whether the network at work could have other weights than it has.
fn others_are_published(state: State) -> bool {
    let variant = state.variant.get();
    let is_at_work = state.at_work().is_some_and(|at_work| at_work.id == variant.id);
    let is_published = |catalogue: &Arc<Catalogue>| catalogue.of(variant.id).next().is_some();
    let published = state.catalogue.with(|catalogue| catalogue.as_ref().is_some_and(is_published));
    is_at_work && published && state.offer.get().is_none()
}

/// Of a family's variants the first that can be opened at once, or else the first.
fn preferred(session: Session, family: &str) -> &'static Variant {
    let all = listed(session, family);
    let ready = all.iter().find(|variant| session.has(variant));
    ready.or(all.first()).copied().unwrap_or(model::first())
}

/// A family's variants, but for those whose weights are neither here nor published anywhere: networks that this
/// project trains itself.
fn listed(session: Session, family: &str) -> Vec<&'static Variant> {
    let of_family = VARIANTS.iter().filter(|variant| variant.family == family);
    of_family.filter(|variant| variant.classes == IMAGENET_CLASSES || session.has(variant)).collect()
}

/// The variants of the chosen family.
#[component]
fn VariantSelect() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let family = Memo::new(move |_| state.variant.get().family);
    let of_family = move || {
        track_at_hand(state);
        listed(session, family.get())
    };
    let is_to_load = move |variant| {
        track_at_hand(state);
        !session.has(variant)
    };
    view! {
        <select
            class="variant" aria-label="Network" data-testid="variant"
            on:change=move |event| {
                if let Some(variant) = zoo::variant(&event_target_value(&event)) {
                    session.choose(variant);
                }
            }
        >
            <For each=of_family key=|variant| variant.id let(variant)>
                <option value=variant.id prop:selected=move || state.variant.get().id == variant.id>
                    {variant.title}
                    {move || state.accuracy.with(|accuracy| accuracy.get(variant.id).copied().map(right))}
                    {move || is_to_load(variant).then_some(" · to load")}
                </option>
            </For>
        </select>
    }
}

/// What the visitor brought is at hand once it is open, what was loaded once it is stored.
fn track_at_hand(state: State) {
    state.host.track();
    state.checkpoints.track();
}

fn right(accuracy: f32) -> String {
    format!(" · {} right", words::percent(accuracy))
}

/// The side of the network's input, free within what networks and pictures bear.
#[component]
fn SideField() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let input = NodeRef::<Input>::new();
    let own = move || state.model.with(|model| model.as_ref().map(|model| model.own_side()));
    let shown = move || state.side.get().or_else(own).map(|side| side.to_string()).unwrap_or_default();
    let changed = move |_| {
        let Some(input) = input.get_untracked() else { return };
        let asked = input.value();
        let side = asked.trim().parse().ok().filter(|side| SIDES.contains(side));
        // The browser hands out what it cannot read as nothing.
        let is_empty = asked.trim().is_empty() && input.check_validity();
        if is_empty || side == untrack(own) {
            session.resize(None);
        } else if side.is_some() {
            session.resize(side);
        } else {
            let text = format!("The input can be {} to {} pixels wide.", SIDES.start(), SIDES.end());
            state.notice.set(Some(Notice { tone: Tone::Note, text }));
        }
        // Whatever was not understood gives way to what holds.
        input.set_value(&untrack(shown));
    };
    view! {
        <label class="side" title=format!("Side of the network’s input, {} to {} pixels", SIDES.start(), SIDES.end())>
            <span class="muted">"Input"</span>
            <input node_ref=input type="number" inputmode="numeric" list="usual-sides" data-testid="side"
                min=SIDES.start().to_string() max=SIDES.end().to_string() aria-label="Side of the input in pixels"
                prop:value=shown on:change=changed/>
            <span class="muted">"px"</span>
            <datalist id="usual-sides">
                {USUAL_SIDES.map(|side| view! { <option value=side.to_string()></option> })}
            </datalist>
        </label>
    }
}

fn describe(model: &Model, state: State) -> String {
    let own = model.own_side();
    let cost = model.cost(state.side.get().unwrap_or(own));
    // While another one is only offered the facts are of the one at work.
    let name = (model.variant.id != state.variant.get().id).then(|| format!("{} on screen", model.variant.title));
    let classes = model.labels.len();
    let right = model
        .top1
        .map(|top1| format!("first guess of {classes} classes right on {} at {own} px", words::percent(top1)));
    let size =
        [format!("{} parameters", words::count(cost.parameters)), format!("{} multiply-adds", words::count(cost.macs))];
    name.into_iter().chain(size).chain(right).collect::<Vec<_>>().join(" · ")
}
