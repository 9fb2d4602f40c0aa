//! The sample pictures: their list, their row of buttons, their credits.

use leptos::prelude::*;
use serde::Deserialize;

use super::fetch::{self, FetchError};
use super::intake::{Picture, Source};
use super::session::Session;
use super::state::State;

/// One row of `samples.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sample {
    pub file: String,
    pub title: String,
    pub alt: String,
    pub author: String,
    pub licence: String,
    pub licence_url: Option<String>,
    /// An address, or where to find it in words.
    pub source: String,
}

impl Sample {
    pub fn path(&self) -> String {
        format!("samples/{}", self.file)
    }

    /// The list that lies beside the pictures.
    pub async fn fetch_all() -> Result<Vec<Sample>, FetchError> {
        let path = "samples/samples.json";
        let text = fetch::text(path).await?;
        serde_json::from_str(&text).map_err(|error| FetchError::Content { path: path.into(), why: error.to_string() })
    }
}

/// A button for each sample.
#[component]
pub fn SampleBar(samples: RwSignal<Vec<Sample>>) -> impl IntoView {
    view! {
        <ul class="samples" aria-label="Sample pictures">
            <For each=move || samples.get() key=|sample| sample.file.clone() let:sample>
                <li><SampleButton sample/></li>
            </For>
        </ul>
    }
}

#[component]
fn SampleButton(sample: Sample) -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let file = sample.file.clone();
    let is_shown = Memo::new(move |_| {
        state
            .picture
            .with(|picture| Some(&file) == picture.as_ref().and_then(Picture::sample).map(|sample| &sample.file))
    });
    let chosen = sample.clone();
    view! {
        <button
            class="sample"
            data-testid="sample"
            data-sample=sample.file.clone()
            aria-pressed=move || is_shown.get().to_string()
            title=sample.title.clone()
            on:click=move |_| session.analyse(Source::Sample(chosen.clone()))
        >
            <img src=sample.path() alt=sample.title.clone() width="56" height="56" decoding="async" draggable="false"/>
        </button>
    }
}

/// Whose picture it is, on what terms.
#[component]
pub fn Credit(sample: Sample) -> impl IntoView {
    let Sample { title, author, licence, licence_url, source, .. } = sample;
    let licence = match licence_url {
        Some(url) => view! { <a href=url rel="license">{licence}</a> }.into_any(),
        None => licence.into_any(),
    };
    let source = match source.starts_with("http") {
        true => view! { <a href=source>"source"</a> }.into_any(),
        false => source.into_any(),
    };
    view! { <span class="credit">{title}": "{author}", "{licence}", "{source}</span> }
}
