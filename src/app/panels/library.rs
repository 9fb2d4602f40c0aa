use js_sys::{Date, Object, Reflect};
use leptos::html::Summary;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::app::hub::store::{self, Room, Stored};
use crate::app::words;

/// The checkpoints that this browser keeps, each with a way to be rid of it.
#[component]
pub fn Library(
    /// Says that one may have come or gone.
    changed: Trigger,
) -> impl IntoView {
    let kept = RwSignal::new(Ok(Vec::<Stored>::new()));
    let room = RwSignal::new(None::<Room>);
    let said = RwSignal::new(String::new());
    let title = NodeRef::<Summary>::new();
    let read = move || {
        spawn_local(async move {
            kept.set(store::list().await);
            room.set(store::room().await);
        });
    };
    Effect::new(move |_| {
        changed.track();
        read();
    });
    let delete = Callback::new(move |stored: Stored| {
        spawn_local(async move {
            said.set(match store::delete(&stored).await {
                Ok(_) => format!("Deleted {}.", stored.repository),
                Err(why) => format!("{} could not be deleted ({why}). Try again.", stored.repository),
            });
            // Its button is gone, and the focus with it.
            if let Some(title) = title.get_untracked() {
                let _ = title.focus();
            }
            changed.notify();
        });
    });
    let list = move || kept.get().unwrap_or_default();
    let trouble = move || kept.with(|kept| kept.as_ref().err().map(|why| format!("This browser keeps none: {why}.")));
    let total = move || list().iter().map(|stored| stored.bytes as u64).sum::<u64>();
    let count = move || match list().len() {
        0 => "none".to_string(),
        count => format!("{count}, {}", words::megabytes(total())),
    };
    view! {
        <details class="library muted" data-testid="library" data-bytes=move || total().to_string()>
            <summary node_ref=title>"Checkpoints kept on this machine ("{count}")"</summary>
            <p>{trouble}</p>
            <ul>
                <For each=list key=|stored| stored.address.clone() let(stored)><li><Row stored delete/></li></For>
            </ul>
            <p data-testid="room">{move || room.get().map(describe)}</p>
            <p role="status" data-testid="library-said">{said}</p>
        </details>
    }
}

#[component]
fn Row(stored: Stored, delete: Callback<Stored>) -> impl IntoView {
    let size = words::megabytes(stored.bytes as u64);
    let Stored { repository, bytes, .. } = stored.clone();
    let name = format!("Delete {repository}, {size}");
    let about = format!("{size}, revision {}, loaded on {}", short(&stored.revision), day(stored.when_ms));
    view! {
        <span class="kept" data-testid="kept" data-repository=repository.clone() data-bytes=bytes.to_string()>
            <strong>{repository.clone()}</strong>
            <span>{about}</span>
            <button class="quiet" type="button" data-testid="delete" aria-label=name on:click=move |_| delete.run(stored.clone())>
                "Delete"
            </button>
        </span>
    }
}

fn describe(Room { used, quota }: Room) -> String {
    let (used, quota) = (words::megabytes(used as u64), words::megabytes(quota as u64));
    format!("This site has {used} of the {quota} that the browser lets it keep.")
}

/// A commit as people write it: its first seven digits.
fn short(revision: &str) -> &str {
    revision.get(..7).filter(|_| revision.len() == 40).unwrap_or(revision)
}

/// For example `24 November 2025`, in the page's language.
fn day(ms: f64) -> String {
    let options = Object::new();
    // Without it the date is told in digits.
    let _ = Reflect::set(&options, &"dateStyle".into(), &"long".into());
    Date::new(&ms.into()).to_locale_date_string("en-GB", &options).into()
}
