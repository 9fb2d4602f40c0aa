use leptos::prelude::*;

use crate::app::dom;
use crate::app::parts::{Table, table_view};
use crate::app::session::{RUNS, Session};
use crate::app::speed::Speed;
use crate::app::state::{Host, Life, State};
use crate::app::tuning::remembered;
use crate::app::words;
use crate::engine::gigaflops;
use crate::gpu::AdapterInfo;

/// Steps of the device's clock that are worth a word, in milliseconds.
const COARSE_MS: f64 = 0.01;

/// What the network takes on this device: time by its parts, pipelines, memory.
#[component]
pub fn SpeedPanel() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let speed = move || state.current_speed();
    let runs = move || speed().map_or(0, |speed| speed.runs());
    let total = move || speed().and_then(|speed| speed.total_ms()).map(words::measured);
    let how = move || speed().filter(|_| !state.measuring.get()).and_then(|speed| how(&speed));
    view! {
        <details class="panel speed" data-testid="speed" data-runs=move || runs().to_string()>
            <summary id=SUMMARY_ID><h2>"Speed"</h2><span class="muted">{total}</span></summary>
            <p class="muted">
                "How long this network takes for the picture here, part by part, and what it takes of the device."
            </p>
            <Measure/>
            <p role="status" data-testid="speed-total">{how}</p>
            <div data-testid="speed-parts">{move || speed().map(|speed| parts(&speed))}</div>
            {move || state.host.get().map(|host| taken(&host, session))}
        </details>
    }
}

/// Begins, shows how far it is, and stops.
#[component]
fn Measure() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let measuring = move || state.measuring.get();
    let is_ready = move || state.life.with(|life| *life == Life::Ready);
    let runs = move || state.current_speed().map_or(0, |speed| speed.runs());
    let click = move |_| match state.measuring.get_untracked() {
        true => session.stop_measuring(),
        false => session.measure(),
    };
    view! {
        <div class="measure">
            <button class="primary" type="button" data-testid="measure" on:click=click
                disabled=move || !measuring() && !is_ready()
            >
                {move || if measuring() { "Stop" } else { "Measure" }}
            </button>
            <progress aria-label="Runs" max=RUNS.to_string() value=move || runs().to_string() hidden=move || !measuring()>
            </progress>
        </div>
    }
}

/// What an image takes, and how that was measured.
fn how(speed: &Speed) -> Option<String> {
    let ms = speed.total_ms()?;
    let rate = gigaflops(speed.macs(), ms).map(|rate| format!(" ({}\u{a0}GFLOP/s)", words::number(rate as f32)));
    let runs = if speed.runs() == 1 { "one run".into() } else { format!("median of {} runs", speed.runs()) };
    Some(format!(
        "{} for an image{}, {runs}, by the page’s clock: from its numbers to logits, gates and maps, with the way to \
         the device and back.",
        words::measured(ms),
        rate.unwrap_or_default()
    ))
}

/// Where the device's time goes.
fn parts(speed: &Speed) -> AnyView {
    let timings = &speed.timings;
    if timings.runs() == 0 {
        let why =
            "This device has no clock that the page may read (timestamp queries): it is not known where the time goes.";
        return view! { <p class="muted">{why}</p> }.into_any();
    }
    let together = match timings.total_milliseconds() {
        Some(ms) => words::measured(ms),
        None => "not known, since the clock went wrong".into(),
    };
    let step = timings.step_ms();
    let coarse = match step >= COARSE_MS {
        true => format!(
            " Here it goes in steps of {}: a part of few steps is told by the mean of the runs.",
            words::measured(step)
        ),
        false => String::new(),
    };
    let about = format!(
        "Part by part, by the device’s own clock, in runs of which each part waits for the one before; together \
         {together}.{coarse} GFLOP/s counts two operations for each multiply-add of the layers as they are written. \
         The maps are made for this page; the network does without."
    );
    let times: Vec<Option<f64>> = (0..speed.parts.len()).map(|part| timings.milliseconds(part)).collect();
    let longest = times.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
    let shares: Vec<f64> = times.iter().map(|ms| ms.unwrap_or(0.0) / longest).collect();
    let rows = speed.parts.iter().zip(times).map(|(part, ms)| {
        let time = match ms {
            None => "clock wrong".into(),
            Some(0.0) => format!("< {}", words::measured(step)),
            Some(ms) => words::measured(ms),
        };
        let rate = ms.and_then(|ms| gigaflops(part.macs, ms)).map(|rate| words::number(rate as f32));
        vec![part.name.clone(), time, rate.unwrap_or_else(|| "–".into()), part.dispatches.len().to_string()]
    });
    let head = ["Part", "Time", "GFLOP/s", "Dispatches"].map(String::from).to_vec();
    let table = Table { caption: "Parts of the network".into(), head, rows: rows.collect() };
    view! { <p class="muted">{about}</p>{table_view(table, &shares)} }.into_any()
}

/// Of what opens and closes the panel.
const SUMMARY_ID: &str = "speed-summary";

/// What the network takes of the device, and what the device can do.
fn taken(host: &Host, session: Session) -> impl IntoView + use<> {
    let Host { adapter, tuning, account, pipelines, .. } = host;
    let is_remembered = remembered(adapter).is_some();
    let peak = words::megabytes(account.peak_live_bytes);
    let lines = [
        ("Weights", words::megabytes(account.weights_bytes)),
        ("Activations", format!("{}, {peak} live at the busiest step", words::megabytes(account.activations_bytes))),
        ("Everything", words::megabytes(account.total_bytes)),
        ("An image", format!("{} dispatches of {} pipelines", account.dispatches, account.pipelines)),
        ("Adapter", format!("{} ({})", adapter.name, adapter.backend)),
        ("It has", abilities(adapter)),
        ("Kernels", format!("{tuning}{}", if is_remembered { ", found by trying and remembered" } else { "" })),
    ];
    let lines = lines.map(|(term, meaning)| view! { <dt>{term}</dt><dd>{meaning}</dd> });
    let row = |(name, dispatches): &(String, usize)| vec![name.clone(), dispatches.to_string()];
    let table = Table {
        caption: "Pipelines of an image, each with its dispatches".into(),
        head: ["Pipeline", "Dispatches"].map(String::from).to_vec(),
        rows: pipelines.iter().map(row).collect(),
    };
    view! {
        <dl class="properties" data-testid="speed-taken">{lines.into_iter().collect_view()}</dl>
        {is_remembered.then(|| view! {
            <button class="quiet" type="button" data-testid="forget" on:click=move |_| {
                dom::focus(SUMMARY_ID);
                session.forget_kernels();
            }>
                "Forget which kernels are fast here"
            </button>
        })}
        <div data-testid="speed-pipelines">{table_view(table, &[])}</div>
    }
}

fn abilities(adapter: &AdapterInfo) -> String {
    let subgroups = match adapter.subgroups {
        Some((smallest, largest)) if smallest == largest => format!("subgroups of {largest}"),
        Some((smallest, largest)) => format!("subgroups of {smallest} to {largest}"),
        None => "no subgroups that it tells of".into(),
    };
    let timestamps = if adapter.timestamps { "timestamps" } else { "no timestamps" };
    let f16 = if adapter.f16 { "16-bit floats in shaders" } else { "no 16-bit floats in shaders" };
    format!("{timestamps}, {subgroups}, {f16}")
}
