use leptos::prelude::*;

use crate::app::session::{RUNS, Session};
use crate::app::speed::Speed;
use crate::app::state::{Host, Life, State};
use crate::app::words;
use crate::engine::{Part, gigaflops};
use crate::gpu::AdapterInfo;

/// Steps of the device's clock that are worth a word, in milliseconds.
const COARSE_MS: f64 = 0.01;

/// What the network takes on this device: time by its parts, pipelines, memory.
#[component]
pub fn SpeedPanel() -> impl IntoView {
    let state = expect_context::<State>();
    let speed = Signal::derive(move || state.current_speed());
    let runs = move || speed.with(|speed| speed.as_ref().map_or(0, |speed| speed.runs()));
    let short = move || {
        let ms = speed.with(|speed| speed.as_ref()?.total_ms())?;
        Some(format!("{} per image", words::measured(ms)))
    };
    view! {
        <details class="panel speed" data-testid="speed" data-runs=move || runs().to_string()>
            <summary><h2>"Speed"</h2><span class="muted">{short}</span></summary>
            <p class="muted">
                "How long this network takes for the picture here, part by part, and what it takes of the device."
            </p>
            <Measure runs=Signal::derive(runs)/>
            <p role="status" data-testid="speed-total">
                {move || speed.get().filter(|_| !state.measuring.get()).and_then(|speed| total(&speed))}
            </p>
            {move || speed.get().map(|speed| parts(&speed))}
            {move || state.host.get().map(|host| taken(&host))}
        </details>
    }
}

/// Begins, shows how far it is, and stops.
#[component]
fn Measure(runs: Signal<usize>) -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let is_ready = move || state.life.with(|life| *life == Life::Ready);
    let click = move |_| match state.measuring.get_untracked() {
        true => session.stop_measuring(),
        false => session.measure(),
    };
    view! {
        <div class="measure">
            <button class="primary" type="button" data-testid="measure" on:click=click
                disabled=move || !state.measuring.get() && !is_ready()
            >
                {move || if state.measuring.get() { "Stop" } else { "Measure" }}
            </button>
            <Show when=move || state.measuring.get()>
                <span>{move || format!("Run {} of {RUNS}", (runs.get() + 1).min(RUNS))}</span>
                <div class="progress-bar" role="progressbar" aria-label="Runs" aria-valuemin="0"
                    aria-valuemax=RUNS.to_string() aria-valuenow=move || runs.get().to_string()
                >
                    <span style:width=move || format!("{:.0}%", 100.0 * runs.get() as f64 / RUNS as f64)></span>
                </div>
            </Show>
        </div>
    }
}

/// What an image takes, and what of that is the device's work.
fn total(speed: &Speed) -> Option<impl IntoView + use<>> {
    let ms = speed.total_ms()?;
    let rate = gigaflops(speed.macs(), ms).map(|rate| format!(" ({}\u{a0}GFLOP/s)", words::number(rate as f32)));
    let how = match speed.runs() {
        1 => "one run".into(),
        runs => format!("median of {runs} runs"),
    };
    let how = format!(
        " for an image{}, {how}, by the page’s clock: from its numbers to logits, gates and maps, with the way to the \
         device and back.",
        rate.unwrap_or_default()
    );
    Some(view! { <strong>{words::measured(ms)}</strong>{how} })
}

/// Where the device's time goes.
fn parts(speed: &Speed) -> impl IntoView + use<> {
    let timings = &speed.timings;
    if timings.runs() == 0 {
        let why = "This device has no clock that the page may read (timestamp queries), so it cannot say where the time goes.";
        return view! { <p class="muted" data-testid="speed-parts-missing">{why}</p> }.into_any();
    }
    let together = match timings.total_milliseconds() {
        Some(ms) => format!("{} together", words::measured(ms)),
        None => "not all of them could be told, since the clock went wrong".into(),
    };
    let coarse = (timings.step_ms() >= COARSE_MS).then(|| {
        let step = words::measured(timings.step_ms());
        format!(" The clock has steps of {step}: a part of few steps is told by the mean of the runs.")
    });
    let times: Vec<Option<f64>> = (0..speed.parts.len()).map(|part| timings.milliseconds(part)).collect();
    let longest = times.iter().flatten().copied().fold(0.0, f64::max);
    let row = |(part, ms): (&Part, &Option<f64>)| part_row(part, *ms, longest, timings.step_ms());
    let rows = speed.parts.iter().zip(&times).map(row).collect_view();
    view! {
        <p class="muted">
            {format!("Its parts by the device’s own clock, in other runs, in which each part waits for the one before: {together}.")}
            {coarse}
            " GFLOP/s counts two operations for each multiply-add of the layers as they are written. The maps are made \
             for this page; the network does without."
        </p>
        <table class="parts" data-testid="speed-parts">
            <thead><tr>
                <th scope="col">"Part"</th>
                <td></td>
                <th scope="col">"Time"</th>
                <th scope="col">"GFLOP/s"</th>
                <th scope="col">"Dispatches"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn part_row(part: &Part, ms: Option<f64>, longest: f64, step_ms: f64) -> impl IntoView + use<> {
    let time = match ms {
        None => "clock wrong".into(),
        Some(0.0) => format!("< {}", words::measured(step_ms)),
        Some(ms) => words::measured(ms),
    };
    let rate = ms.and_then(|ms| gigaflops(part.macs, ms)).map(|rate| words::number(rate as f32));
    let width = if longest > 0.0 { 100.0 * ms.unwrap_or(0.0) / longest } else { 0.0 };
    view! {
        <tr data-testid="speed-part" data-name=part.name.clone() data-ms=ms.map(|ms| ms.to_string())
            data-dispatches=part.dispatches.len().to_string()
        >
            <th scope="row">{part.name.clone()}</th>
            <td class="part-bar" aria-hidden="true"><div style:width=format!("{width:.1}%")></div></td>
            <td>{time}</td>
            <td>{rate.unwrap_or_else(|| "–".into())}</td>
            <td>{part.dispatches.len()}</td>
        </tr>
    }
}

/// What the network takes of the device, and what the device can do.
fn taken(host: &Host) -> impl IntoView + use<> {
    let Host { adapter, account, pipelines, .. } = host;
    let activations = format!(
        "{}, of which {} are alive at the busiest step",
        words::megabytes(account.activations_bytes),
        words::megabytes(account.peak_live_bytes)
    );
    let line = |(name, dispatches): &(String, usize)| view! { <li>{format!("{name} × {dispatches}")}</li> };
    view! {
        <dl class="properties" data-testid="speed-taken">
            <dt>"Weights"</dt><dd>{words::megabytes(account.weights_bytes)}</dd>
            <dt>"Activations"</dt><dd>{activations}</dd>
            <dt>"Everything"</dt><dd>{words::megabytes(account.total_bytes)}</dd>
            <dt>"Dispatches"</dt><dd>{account.dispatches}" an image"</dd>
            <dt>"Pipelines"</dt>
            <dd>
                <details>
                    <summary>{account.pipelines}", with their dispatches"</summary>
                    <ul class="names" data-testid="speed-pipelines">{pipelines.iter().map(line).collect_view()}</ul>
                </details>
            </dd>
            <dt>"Adapter"</dt><dd>{adapter.name.clone()}" ("{adapter.backend.clone()}")"</dd>
            <dt>"It has"</dt><dd data-testid="speed-abilities">{abilities(adapter)}</dd>
        </dl>
    }
}

fn abilities(adapter: &AdapterInfo) -> String {
    let subgroups = match adapter.subgroups {
        Some((smallest, largest)) if smallest == largest => format!("subgroups of {largest}"),
        Some((smallest, largest)) => format!("subgroups of {smallest} to {largest}"),
        None => "no subgroups that it tells of".into(),
    };
    let has = |has: bool, what: &str| format!("{}{what}", if has { "" } else { "no " });
    [has(adapter.timestamps, "timestamps"), subgroups, has(adapter.f16, "16-bit floats in shaders")].join(", ")
}
