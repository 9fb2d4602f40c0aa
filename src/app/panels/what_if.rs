use leptos::prelude::*;
use web_sys::HtmlInputElement;

use super::PICTURE_ID;
use crate::app::dom;
use crate::app::parts::{Choice, Role, Segments};
use crate::app::session::Session;
use crate::app::state::{Analysis, State};
use crate::app::words;
use crate::reading::{Replacement, UnitReading};
use crate::vision::{Prediction, branch_statistics};

/// Whose gates are replaced.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// The chosen unit's.
    Unit,
    All,
}

/// What stands in their place.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// Nothing.
    Own,
    Uniform,
    Swap,
    /// From 1.
    Branch(usize),
    ByHand,
}

impl How {
    fn of(replacement: Option<&Replacement>) -> Self {
        match replacement {
            None => How::Own,
            Some(Replacement::Uniform) => How::Uniform,
            Some(Replacement::Swap) => How::Swap,
            Some(&Replacement::Branch(branch)) => How::Branch(branch),
            Some(Replacement::ByHand(_)) => How::ByHand,
        }
    }

    fn says(self, branches: usize) -> String {
        match (self, branches) {
            (How::Own, _) => "The network’s own gates, computed from the picture.".into(),
            (How::Uniform, 1) => "Every gate is 0.50: no channel counts more than another.".into(),
            (How::Uniform, _) => {
                let gate = words::gate(1.0 / branches as f32);
                format!("Every gate is {gate}: no branch counts more than another, in any channel.")
            }
            (How::Swap, 2) => "Each branch gets the gates that were meant for the other.".into(),
            (How::Swap, _) => "The branches get each other’s gates, the first the last’s and so on.".into(),
            (How::Branch(_), 1) => "Every gate is 1: everything passes.".into(),
            (How::Branch(branch), _) => format!("The gates of branch {branch} are 1, those of the others 0."),
            (How::ByHand, 1) => "One gate for all channels.".into(),
            (How::ByHand, _) => "One gate per branch for all its channels; they need not add up to one.".into(),
        }
    }
}

/// The chosen unit, as far as replacing its gates goes.
#[derive(Clone, PartialEq)]
struct Chosen {
    /// timm's module path.
    module: String,
    name: String,
    branches: usize,
    /// Of each branch's gates in the run that is shown, to two digits.
    means: Vec<f32>,
}

impl Chosen {
    fn new(unit: &UnitReading) -> Self {
        let means = branch_statistics(&unit.gates).into_iter().map(|gates| (gates.mean * 100.0).round() / 100.0);
        let (module, name) = (unit.name.clone(), words::unit_name(unit));
        Self { module, name, branches: unit.branches(), means: means.collect() }
    }
}

/// Other gates than the network's own, for one unit or all: the network runs on from there.
#[component]
pub fn WhatIfPanel() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let scope = RwSignal::new(Scope::Unit);
    let chosen = Memo::new(move |_| state.with_unit(Chosen::new));
    let branches = Memo::new(move |_| state.branches());
    let name = Memo::new(move |_| chosen.with(|unit| unit.as_ref().map(|unit| unit.name.clone()).unwrap_or_default()));
    let all_replaced = Memo::new(move |_| state.replacements.with(|replacements| replacements.all.is_some()));
    let replacement = Memo::new(move |_| {
        state.replacements.with(|replacements| match scope.get() {
            Scope::All => replacements.all.clone(),
            Scope::Unit => chosen.with(|unit| replacements.units.get(&unit.as_ref()?.module).cloned()),
        })
    });
    let how = Memo::new(move |_| replacement.with(|replacement| How::of(replacement.as_ref())));

    let is_replaced = move || state.replacements.with(|replacements| !replacements.is_empty());

    let replace = move |new: Option<Replacement>| {
        let mut replacements = state.replacements.get_untracked();
        match scope.get_untracked() {
            Scope::All => replacements.all = new,
            Scope::Unit => {
                let Some(unit) = chosen.get_untracked() else { return };
                match new {
                    Some(new) => _ = replacements.units.insert(unit.module, new),
                    None => _ = replacements.units.remove(&unit.module),
                }
            }
        }
        session.replace(replacements);
    };
    let choose = move |how: How| {
        // By hand goes on from what is there.
        let means = || chosen.with_untracked(|unit| unit.as_ref().map(|unit| unit.means.clone()).unwrap_or_default());
        replace(match how {
            How::Own => None,
            How::Uniform => Some(Replacement::Uniform),
            How::Swap => Some(Replacement::Swap),
            How::Branch(branch) => Some(Replacement::Branch(branch)),
            How::ByHand => Some(Replacement::ByHand(means())),
        });
    };
    let scopes = Signal::derive(move || {
        vec![
            Choice { value: Scope::Unit, id: "unit".into(), label: format!("Unit {}", name.get()) },
            Choice { value: Scope::All, id: "all".into(), label: "All units".into() },
        ]
    });
    let hows = Signal::derive(move || choices(branches.get(), scope.get() == Scope::Unit && all_replaced.get()));
    let says = move || match (how.get(), scope.get(), all_replaced.get()) {
        (How::Own, Scope::Unit, true) => "This unit has the gates that all units have.".into(),
        (how, ..) => how.says(branches.get()),
    };
    let weights = Memo::new(move |_| match replacement.get() {
        Some(Replacement::ByHand(weights)) => weights,
        _ => Vec::new(),
    });
    let effect = move || state.analysis.with(|analysis| analysis.as_deref().and_then(effect_of));
    // Bars of gates have room for one.
    let beyond = move || {
        let sum: f32 = weights.with(|weights| weights.iter().sum());
        (sum > 1.001).then(|| format!(" These add up to {}: charts cut them off at 1.", words::gate(sum)))
    };
    let set_weight = move |branch: usize, weight: f32| {
        let mut weights = weights.get_untracked();
        if let Some(old) = weights.get_mut(branch) {
            *old = weight;
            replace(Some(Replacement::ByHand(weights)));
        }
    };
    view! {
        <section class="panel what-if" aria-labelledby="what-if-title" data-testid="what-if">
            <header class="panel-head">
                <h2 id="what-if-title" tabindex="-1">"What if"</h2>
                <Show when=is_replaced><GiveBack testid="give-back" text="Give all gates back" next="what-if-title"/></Show>
            </header>
            <p class="muted">
                "Put other gates in place of the network’s own: it runs on from there, and prediction, maps and later "
                "gates show what comes of it."
            </p>
            <Segments label="Whose gates" testid="gates-scope" role=Role::Options choices=scopes chosen=scope
                choose=move |chosen| scope.set(chosen)/>
            <Segments label="Gates" testid="gates-how" role=Role::Options choices=hows chosen=how choose/>
            <p class="muted" data-testid="gates-say">{says}{beyond}</p>
            <Show when=move || weights.with(|weights| !weights.is_empty())>
                <div class="by-hand">
                    <For each=move || 0..weights.with(Vec::len) key=|branch| *branch let(branch)>
                        <Weight branch
                            weight=Signal::derive(move || weights.with(|weights| weights.get(branch).copied()))
                            set=move |weight| set_weight(branch, weight)/>
                    </For>
                </div>
            </Show>
            <output class="effect" data-testid="gates-effect">{effect}</output>
        </section>
    }
}

/// What can stand in place of the gates of units with so many branches.
fn choices(branches: usize, like_all: bool) -> Vec<Choice<How>> {
    let choice = |value, id: &str, label: &str| Choice { value, id: id.into(), label: label.into() };
    let own = if like_all { "Like all units" } else { "As computed" };
    let mut choices = vec![choice(How::Own, "own", own), choice(How::Uniform, "uniform", "Uniform")];
    if branches > 1 {
        choices.push(choice(How::Swap, "swap", "Swapped"));
    }
    choices.extend((1..=branches).map(|branch| {
        let label = words::capitalised(&words::replaced(&Replacement::Branch(branch), branches));
        choice(How::Branch(branch), &format!("branch:{branch}"), &label)
    }));
    choices.push(choice(How::ByHand, "hand", "By hand"));
    choices
}

/// What has become of the first guess, in a sentence: the list may be off the screen.
fn effect_of(analysis: &Analysis) -> Option<String> {
    let what_if = analysis.what_if.as_ref()?;
    let (now, then) = (analysis.top.first()?, what_if.untouched.top.first()?);
    let name = |class: &Prediction| analysis.model.label(class.index);
    let in_both = |class: &Prediction| {
        [analysis, &what_if.untouched].map(|analysis| words::percent(analysis.probabilities[class.index]))
    };
    let ([now_here, now_there], [then_here, then_there]) = (in_both(now), in_both(then));
    Some(match now.index == then.index {
        true => format!("{} stays first: {now_here}, untouched {now_there}.", words::capitalised(name(now))),
        false => format!(
            "{} comes first: {now_here}, untouched {now_there}. {} goes from {then_there} to {then_here}.",
            words::capitalised(name(now)),
            words::capitalised(name(then))
        ),
    })
}

/// One gate for all channels of a branch.
#[component]
fn Weight(branch: usize, weight: Signal<Option<f32>>, #[prop(into)] set: Callback<f32>) -> impl IntoView {
    let text = move || weight.get().map(words::gate);
    view! {
        <label class="weight">
            <span><span class=format!("swatch branch-{branch}")></span>{format!("Branch {}", branch + 1)}</span>
            <input type="range" min="0" max="1" step="0.01" data-testid="gate-weight" data-branch=branch.to_string()
                prop:value=move || weight.get().unwrap_or_default().to_string()
                on:input=move |event| set.run(event_target::<HtmlInputElement>(&event).value_as_number() as f32)/>
            <span>{text}</span>
        </label>
    }
}

/// Says beside the picture that its map is not the network's own, and takes the replacement back.
#[component]
pub fn ReplacedBanner() -> impl IntoView {
    let state = expect_context::<State>();
    let told = Memo::new(move |_| state.with_what_if(|what_if| what_if.told()));
    view! {
        <div>
            <Show when=move || told.with(Option::is_some)>
                <div class="replaced" data-testid="replaced">
                    <p title=move || told.get()>"Gates replaced: "<strong>{move || told.get()}</strong></p>
                    <GiveBack testid="give-back-here" text="Give back" next=PICTURE_ID/>
                </div>
            </Show>
        </div>
    }
}

/// `next`: the element that is given the focus, for this one goes when it has been pressed.
#[component]
fn GiveBack(testid: &'static str, text: &'static str, next: &'static str) -> impl IntoView {
    let session = expect_context::<Session>();
    let give_back = move |_| {
        dom::focus(next);
        session.give_back();
    };
    view! {
        <button class="quiet" type="button" data-testid=testid on:click=give_back>
            {text}
        </button>
    }
}
