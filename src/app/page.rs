//! The page as a whole: what stands where.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::HtmlElement;

use super::arrivals::{DropAnywhere, PickButton};
use super::debug;
use super::dom;
use super::help::{About, Help, HelpDialog};
use super::intake::Source;
use super::keys;
use super::lens::Shown;
use super::notice::{FailureCard, Notices, Status};
use super::panels::{
    Depth, Display, Explain, Footer, Groups, Header, Layers, Legend, Library, Offers, PictureView, PredictionList,
    PuzzleCard, ReplacedBanner, SpeedPanel, Strip, Tabs, WhatIfPanel,
};
use super::samples::{Credit, Sample, SampleBar};
use super::session::Session;
use super::state::{Notice, State, Tone};

/// Puts the network on its way, and then the page into `place`, part by part: the device is what a visitor waits for
/// longest. Each is a task of the browser's own, since in one they would keep it from input for too long.
pub fn begin(place: HtmlElement) {
    let state = State::new();
    let session = Session::new(state);
    let help = Help::new();
    let samples = RwSignal::new(Vec::<Sample>::new());
    provide_context(state);
    provide_context(session);
    provide_context(help);
    provide_context(Shown::new(state));
    keys::listen(state, session, help);
    debug::expose(state, session);
    reflect_phase(state);
    spawn_local(open(state, session, samples));
    survey_once_there_is_time(state, session);
    // Where the page's parts find what was provided.
    let owner = Owner::current().expect("what is mounted has an owner");
    spawn_local(async move {
        dom::pause().await;
        // What stands there says that the page is loading.
        place.set_inner_html("");
        owner.with(|| mount_to(place.clone(), move || view! { <Top samples/> }).forget());
        dom::pause().await;
        owner.with(|| mount_to(place.clone(), Main).forget());
        dom::pause().await;
        owner.with(|| mount_to(place, move || view! { <Bottom samples/> }).forget());
    });
}

/// What a visitor brings, and what the page has to say.
#[component]
fn Top(samples: RwSignal<Vec<Sample>>) -> impl IntoView {
    let state = expect_context::<State>();
    let credit = move || state.picture.with(|picture| picture.as_ref()?.sample().cloned());
    let own = move || {
        state.picture.with(|picture| {
            let picture = picture.as_ref()?;
            let (width, height) = picture.extent;
            Some(format!("{}, {width} × {height} pixels: the network sees the square in its middle.", picture.title))
        })
    };
    view! {
        <Header/>
        <nav class="intake" aria-label="Pictures">
            <PickButton/>
            <SampleBar samples/>
            <p class="muted intake-note">
                {move || match credit() {
                    Some(sample) => view! { <Credit sample/> }.into_any(),
                    None => view! { <span data-testid="picture-name">{own}</span> }.into_any(),
                }}
                <span>"Drop or paste a picture anywhere. It stays on your machine."</span>
            </p>
        </nav>
        <DropAnywhere/>
        <Notices/>
        <FailureCard/>
        <PuzzleCard/>
        <Offers/>
        <Status/>
    }
}

/// The picture with its map, and what is to be seen of the network. The map comes first, then what it is and how it is
/// shown, then the panels.
#[component]
fn Main() -> impl IntoView {
    let state = expect_context::<State>();
    let look_is_due = soon_after(move || state.analysis.with(Option::is_some));
    let answer_is_due = soon_after(move || look_is_due.get());
    let panels_are_due = soon_after(move || answer_is_due.get());
    let has_look = move || look_is_due.get() && state.analysis.with(Option::is_some);
    let has_answer = move || answer_is_due.get() && state.analysis.with(Option::is_some);
    let has_units = move || {
        panels_are_due.get() && state.analysis.with(|a| a.as_ref().is_some_and(|a| !a.reading.units.is_empty()))
    };
    let has_layers = move || {
        panels_are_due.get() && state.analysis.with(|a| a.as_ref().is_some_and(|a| !a.reading.layers.is_empty()))
    };
    view! {
        <main class="page">
            <div class="look">
                <div class="stuck">
                    <PictureView/>
                    <Show when=has_look><Legend/><ReplacedBanner/></Show>
                </div>
                <Show when=has_look><Tabs/><Explain/><Display/></Show>
            </div>
            <div class="panels">
                <Show
                    when=has_answer
                    fallback=|| view! {
                        <section class="panel about" aria-label="What this is"><h2>"What you will see"</h2><About/></section>
                    }
                >
                    <PredictionList/>
                    <Show when=has_units><Depth/><Strip/><WhatIfPanel/></Show>
                    <Show when=has_layers><Layers/><Groups/></Show>
                    <SpeedPanel/>
                </Show>
            </div>
        </main>
    }
}

/// What is kept, who made what is shown, and the help.
#[component]
fn Bottom(samples: RwSignal<Vec<Sample>>) -> impl IntoView {
    let state = expect_context::<State>();
    view! {
        <Library changed=state.checkpoints/>
        <Footer samples/>
        <HelpDialog/>
    }
}

/// Opens the network, and the first sample with it; without samples the visitor's own picture is waited for.
async fn open(state: State, session: Session, samples: RwSignal<Vec<Sample>>) {
    // The task at hand has the end of the program's compilation in it.
    dom::pause().await;
    session.open();
    match Sample::fetch_all().await {
        Ok(list) => {
            if let Some(first) = list.first() {
                session.begin_with(Source::Sample(first.clone()));
            }
            samples.set(list);
        }
        Err(error) => state.notice.set(Some(Notice {
            tone: Tone::Error,
            text: format!("The sample pictures did not load: {error}. Your own pictures work all the same."),
        })),
    }
}

/// Whether `condition` has come true at some time, a task of the browser's later: what matters most is drawn, and input
/// is handled, before the rest is built.
fn soon_after(condition: impl Fn() -> bool + 'static) -> RwSignal<bool> {
    let due = RwSignal::new(false);
    Effect::new(move |_| {
        if condition() && !due.get_untracked() {
            spawn_local(async move {
                dom::pause().await;
                due.set(true);
            });
        }
    });
    due
}

/// Looks around once the page has shown what it opened with.
fn survey_once_there_is_time(state: State, session: Session) {
    let surveyed = StoredValue::new(false);
    Effect::new(move |_| {
        if state.analysis.with(Option::is_some) && !surveyed.get_value() {
            surveyed.set_value(true);
            session.survey();
        }
    });
}

/// The document carries the phase, for styles and tests.
fn reflect_phase(state: State) {
    Effect::new(move |_| {
        let phase = state.life.with(|life| life.phase());
        let root = document().document_element();
        let set = root.map(|root| root.set_attribute("data-phase", phase));
        if let Some(Err(error)) = set {
            leptos::logging::error!("{}", super::dom::message(&error));
        }
    });
}
