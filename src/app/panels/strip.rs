use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::Canvas;
use leptos::prelude::*;
use web_sys::HtmlCanvasElement;

use super::{Channel, legend_of_branches};
use crate::app::canvas::{pen, style_variable};
use crate::app::observe::{use_scheme, use_width};
use crate::app::parts::{Choice, Role, Segments, Table, TableButton};
use crate::app::state::State;
use crate::app::telling;
use crate::app::words;
use crate::reading::Gates;
use crate::vision::{ChannelOrder, channel_order};

/// Device pixels between columns, once they are wide enough to be told apart.
const GAP: f64 = 1.0;

/// The gates themselves: one column per channel, the branches' gates stacked.
#[component]
pub fn Strip() -> impl IntoView {
    let state = expect_context::<State>();
    let canvas = NodeRef::<Canvas>::new();
    let gates = Memo::new(move |_| state.with_unit(|unit| unit.gates.clone()));
    let order = Memo::new(move |_| {
        gates.with(|gates| gates.as_ref().map(|gates| channel_order(gates, state.order.get())).unwrap_or_default())
    });
    // Of the chosen unit; until a new run's activations have arrived it is the channel before.
    let telling = Memo::new(move |before: Option<&Option<(usize, usize)>>| {
        let unit = state.unit.get();
        let Some(activations) = state.current_activations() else {
            return before.copied().flatten().filter(|(other, _)| *other == unit);
        };
        gates.with(|gates| Some((unit, telling::channel(gates.as_ref()?, &activations.tensor))))
    });
    let channel = Memo::new(move |_| {
        let channel = state.channel.get().or_else(|| telling.get().map(|(_, channel)| channel))?;
        // The channel before may be another network's, whose units are wider.
        gates.with(|gates| gates.as_ref().is_some_and(|gates| channel < gates.channels)).then_some(channel)
    });
    let column = move || {
        let channel = channel.get()?;
        order.with(|order| order.iter().position(|one| *one == channel))
    };
    let channels = move || order.with(Vec::len);

    let (width, scheme) = (use_width(canvas), use_scheme());
    Effect::new(move |_| {
        scheme.track();
        let width = width.get();
        let Some(canvas) = canvas.get() else { return };
        gates.with(|gates| {
            if let Some(gates) = gates {
                order.with(|order| draw(&canvas, width, gates, order));
            }
        });
    });

    let look_at = move |column: usize| {
        let channel = order.with_untracked(|order| order.get(column).copied());
        if channel.is_some() && channel != state.channel.get_untracked() {
            state.channel.set(channel);
        }
    };
    let point = move |event: PointerEvent| {
        let Some(canvas) = canvas.get_untracked() else { return };
        let bounds = canvas.get_bounding_client_rect();
        let part = (f64::from(event.client_x()) - bounds.left()) / bounds.width();
        let last = order.with_untracked(Vec::len).saturating_sub(1);
        look_at(((part * (last + 1) as f64).max(0.0) as usize).min(last));
    };
    let walk = move |event: KeyboardEvent| {
        let (column, last) = (untrack(column).unwrap_or(0), order.with_untracked(Vec::len).saturating_sub(1));
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => column.saturating_sub(1),
            "ArrowRight" | "ArrowUp" => (column + 1).min(last),
            "PageDown" => column.saturating_sub(10),
            "PageUp" => (column + 10).min(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        look_at(next);
    };
    let unit = move || state.with_unit(words::unit_name).unwrap_or_default();
    let replaced =
        move || state.with_unit(|unit| state.with_what_if(|what_if| what_if.told_of(unit)).flatten()).flatten();
    let has_groups = move || gates.with(|gates| gates.as_ref().is_some_and(|gates| gates.groups > 1));
    let says = move || gates.with(|gates| Some(in_words(gates.as_ref()?, channel.get()?)));

    view! {
        <section class="panel gates" aria-labelledby="gates-title">
            <header class="panel-head">
                <h2 id="gates-title">{move || format!("Gates of unit {}", unit())}</h2>
                {move || legend_of_branches(state.branches())}
            </header>
            <div class="caption">
                <p class="muted">
                    "One column per channel; its gates say how much of each branch the unit keeps."
                    {move || has_groups().then_some(" Gaps part the cardinal groups, each of which has an order of its own.")}
                    {move || replaced().map(|how| format!(" Here they are replaced: {how}."))}
                </p>
                <TableButton what="gates by channel" testid="gates-table"
                    table=move || gates.with(|gates| gates.as_ref().map(table).unwrap_or_default())/>
            </div>
            <div
                class="strip" tabindex="0" role="slider" aria-label="Channel" aria-valuemin="0"
                aria-valuemax=move || channels().saturating_sub(1).to_string()
                aria-valuenow=move || column().unwrap_or(0).to_string() aria-valuetext=says data-testid="strip-slider"
                on:pointermove=point on:pointerdown=point on:keydown=walk
            >
                <canvas node_ref=canvas data-testid="strip" aria-hidden="true"></canvas>
                <Show when=move || column().is_some()>
                    <span class="strip-mark" style:left=move || share(column().unwrap_or(0), channels())
                        style:width=move || share(1, channels())></span>
                </Show>
            </div>
            <div class="strip-foot">
                <Segments label="Order of the channels" testid="order" role=Role::Options choices=orders()
                    chosen=state.order choose=move |order| state.order.set(order)/>
            </div>
            <Channel channel gates/>
        </section>
    }
}

fn orders() -> Vec<Choice<ChannelOrder>> {
    let choice = |value, id: &str, label: &str| Choice { value, id: id.into(), label: label.into() };
    vec![
        choice(ChannelOrder::Dominance, "dominance", "By dominance"),
        choice(ChannelOrder::Channel, "channel", "By channel"),
    ]
}

fn share(count: usize, of: usize) -> String {
    format!("{}%", count as f64 / of.max(1) as f64 * 100.0)
}

fn in_words(gates: &Gates, channel: usize) -> String {
    let all =
        (0..gates.branches).map(|branch| format!("branch {} {}", branch + 1, words::gate(gates.at(branch, channel))));
    format!("channel {channel}: {}", all.collect::<Vec<_>>().join(", "))
}

/// `width` is in pixels of the screen, so that every column's edge is sharp.
fn draw(canvas: &HtmlCanvasElement, width: u32, gates: &Gates, order: &[usize]) {
    let height = (f64::from(canvas.client_height()) * window().device_pixel_ratio()).round();
    canvas.set_width(width.max(1));
    canvas.set_height(height.max(1.0) as u32);
    let Some(pen) = pen(canvas) else { return };
    let edge = |column: usize| (column as f64 / order.len() as f64 * f64::from(width)).round();
    let roomy = f64::from(width) / order.len() as f64 >= 4.0 * GAP;
    let colours = (0..gates.branches).map(|branch| style_variable(canvas, &format!("--branch-{branch}")));
    for (branch, colour) in colours.enumerate() {
        pen.set_fill_style_str(colour.trim());
        for (column, channel) in order.iter().enumerate() {
            let below: f32 = (0..branch).map(|lower| gates.at(lower, *channel)).sum();
            let [bottom, top] = [below, below + gates.at(branch, *channel)]
                .map(|level| ((1.0 - f64::from(level)).max(0.0) * height).round());
            let (left, right) = (edge(column), edge(column + 1) - if roomy { GAP } else { 0.0 });
            pen.fill_rect(left, top, right - left, bottom - top);
        }
    }
    // Cardinal groups are runs of neighbouring channels in either order.
    pen.set_fill_style_str(style_variable(canvas, "--surface").trim());
    for group in 1..gates.groups {
        let at = edge(group * gates.channels / gates.groups);
        pen.fill_rect(at - 2.0, 0.0, 3.0, height);
    }
    pen.set_fill_style_str(style_variable(canvas, "--middle-line").trim());
    pen.fill_rect(0.0, (height / 2.0).floor(), f64::from(width), 1.0);
}

fn table(gates: &Gates) -> Table {
    let branches = (1..=gates.branches).map(|branch| format!("Branch {branch}"));
    let row = |channel: usize| {
        let values = (0..gates.branches).map(|branch| format!("{:.3}", gates.at(branch, channel)));
        std::iter::once(channel.to_string()).chain(values).collect()
    };
    Table {
        caption: "Gates by channel".into(),
        head: std::iter::once("Channel".to_string()).chain(branches).collect(),
        rows: (0..gates.channels).map(row).collect(),
    }
}
