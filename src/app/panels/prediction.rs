use leptos::prelude::*;

use crate::app::state::{State, View};
use crate::app::words;
use crate::vision::Prediction;

/// The five most probable classes; choosing one shows where the evidence for it lies.
#[component]
pub fn PredictionList() -> impl IntoView {
    let state = expect_context::<State>();
    let top = Memo::new(move |_| {
        state.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.top.clone()).unwrap_or_default())
    });
    let ranked = move || -> Vec<(usize, Prediction)> { top.get().into_iter().enumerate().collect() };
    let first = move || top.with(|top| top.first().map(|prediction| prediction.index.to_string()));
    let classes = move || state.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.model.labels.len()));
    view! {
        <section class="panel prediction" data-testid="prediction" data-index=first aria-labelledby="prediction-title">
            <header class="panel-head">
                <h2 id="prediction-title">"Prediction"</h2>
                <p class="muted">
                    {move || classes().map(|classes| format!("Five of {classes} classes. Choose one to see its evidence."))}
                </p>
            </header>
            <ol class="top">
                <For
                    each=ranked
                    key=|(rank, prediction)| (*rank, prediction.index, prediction.probability.to_bits())
                    let((_, prediction))
                >
                    <li><Row prediction/></li>
                </For>
            </ol>
        </section>
    }
}

#[component]
fn Row(prediction: Prediction) -> impl IntoView {
    let state = expect_context::<State>();
    let Prediction { index, probability, .. } = prediction;
    let names = state.analysis.with_untracked(|analysis| {
        let label = &analysis.as_ref()?.model.labels[index];
        Some((label.short.clone(), label.long.clone()))
    });
    let (short, long) = names.unwrap_or_default();
    let is_shown = move || state.view.get() == View::Class && state.shown_class() == Some(index);
    view! {
        <button
            class="top-row" type="button" data-testid="top" data-index=index.to_string()
            data-probability=format!("{probability:.6}") title=long
            aria-pressed=move || is_shown().to_string()
            on:click=move |_| state.choose_class(index)
        >
            <span class="top-name">{short}</span>
            <span class="top-bar" aria-hidden="true"><span style:width=format!("{:.2}%", probability * 100.0)></span></span>
            <span class="top-percent">{words::percent(probability)}</span>
        </button>
    }
}
