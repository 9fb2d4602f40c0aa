use leptos::prelude::*;

use crate::app::state::{Analysis, State, View};
use crate::app::words;
use crate::vision::{Label, Prediction};

/// A class of the list.
#[derive(Clone, PartialEq)]
struct Line {
    class: Prediction,
    label: Label,
    /// Its probability in the untouched run, where gates were replaced.
    untouched: Option<f32>,
    /// It was on the untouched run's list and is no more.
    fallen: bool,
}

impl Line {
    /// The most probable classes, then those that were among them with the network's own gates.
    fn all(analysis: &Analysis) -> Vec<Self> {
        let what_if = analysis.what_if.as_ref();
        let fallen = what_if.map(|what_if| what_if.fallen(&analysis.top)).unwrap_or_default();
        let line = |index: usize, fallen: bool| Self {
            class: Prediction {
                index,
                probability: analysis.probabilities[index],
                logit: analysis.reading.logits[index],
            },
            label: analysis.model.labels[index].clone(),
            untouched: what_if.map(|what_if| what_if.untouched.probabilities[index]),
            fallen,
        };
        let listed = analysis.top.iter().map(|class| line(class.index, false));
        listed.chain(fallen.iter().map(|class| line(class.index, true))).collect()
    }

    /// What tells a row from the one that stood in its place.
    fn key(&self) -> (usize, String, u32, Option<u32>, bool) {
        let Self { class, label, untouched, fallen } = self;
        (class.index, label.short.clone(), class.probability.to_bits(), untouched.map(f32::to_bits), *fallen)
    }
}

/// The five most probable classes; choosing one shows where the evidence for it lies. Where gates were replaced, each
/// is set against the untouched run, and classes that fell out of the list stand below it.
#[component]
pub fn PredictionList() -> impl IntoView {
    let state = expect_context::<State>();
    let lines =
        Memo::new(move |_| state.analysis.with(|analysis| analysis.as_deref().map(Line::all).unwrap_or_default()));
    let ranked = move || -> Vec<(usize, Line)> { lines.get().into_iter().enumerate().collect() };
    let first = move || lines.with(|lines| lines.first().map(|line| line.class.index.to_string()));
    let classes = move || state.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.model.labels.len()));
    let is_replaced = move || state.with_what_if(|_| ()).is_some();
    let about = move || match is_replaced() {
        true => Some("With gates replaced. Mark and last column: against the untouched run, in points.".to_string()),
        false => classes().map(|classes| format!("Five of {classes} classes. Choose one to see its evidence.")),
    };
    view! {
        <section class="panel prediction" class:compared=is_replaced data-testid="prediction" data-index=first
            aria-labelledby="prediction-title">
            <header class="panel-head">
                <h2 id="prediction-title">"Prediction"</h2>
                <p class="muted">{about}</p>
            </header>
            <ol class="top">
                <For each=ranked key=|(rank, line)| (*rank, line.key()) let((_, line))>
                    <Row line/>
                </For>
            </ol>
        </section>
    }
}

#[component]
fn Row(line: Line) -> impl IntoView {
    let state = expect_context::<State>();
    let Line { class: Prediction { index, probability, .. }, label: Label { short, long, .. }, untouched, fallen } =
        line;
    let is_shown = move || state.view.get() == View::Class && state.shown_class() == Some(index);
    let mark = untouched.map(|untouched| {
        view! { <span class="top-mark" style:left=format!("min(calc(100% - 2px), {:.2}%)", untouched * 100.0)></span> }
    });
    let change = untouched.map(|untouched| {
        let says = format!(" points against {} untouched", words::percent(untouched));
        let says = if fallen { format!("{says}, no longer among the first five") } else { says };
        view! {
            <span class="top-change">
                {words::points(probability - untouched)}<span class="visually-hidden">{says}</span>
            </span>
        }
    });
    view! {
        <li class:fallen=fallen>
            <button
                class="top-row" type="button" data-testid={if fallen { "fallen" } else { "top" }}
                data-index=index.to_string()
                data-probability=format!("{probability:.6}")
                data-untouched=untouched.map(|untouched| format!("{untouched:.6}")) title=long
                aria-pressed=move || is_shown().to_string()
                on:click=move |_| state.choose_class(index)
            >
                <span class="top-name">{short}</span>
                <span class="top-bar" aria-hidden="true">
                    <span class="top-part" style:width=format!("{:.2}%", probability * 100.0)></span>{mark}
                </span>
                <span class="top-percent">{words::percent(probability)}</span>
                {change}
            </button>
        </li>
    }
}
