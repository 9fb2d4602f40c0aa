//! Pictures arriving at the window: dropped anywhere, pasted, or picked.

use leptos::ev::{self, DragEvent};
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::{DataTransfer, File, FileList};

use super::intake::Source;
use super::session::Session;
use super::state::{Notice, State, Tone};

/// Hears drops and pastes; says so over the whole window while something is dragged.
#[component]
pub fn DropAnywhere() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    // Entering a child comes before leaving its parent, hence a count.
    let depth = RwSignal::new(0_i32);
    let accept = |event: &DragEvent| event.prevent_default();
    let listeners = [
        window_event_listener(ev::dragenter, move |event| {
            accept(&event);
            depth.update(|depth| *depth += i32::from(brings_files(&event)));
        }),
        window_event_listener(ev::dragover, move |event| accept(&event)),
        window_event_listener(ev::dragleave, move |_| depth.update(|depth| *depth = (*depth - 1).max(0))),
        window_event_listener(ev::drop, move |event| {
            accept(&event);
            depth.set(0);
            take(
                state,
                session,
                event.data_transfer(),
                "What was dropped is no file. Save the picture, then drop it here.",
            );
        }),
        window_event_listener(ev::paste, move |event| {
            take(
                state,
                session,
                event.clipboard_data(),
                "The clipboard holds no picture. Copy one, then paste it here.",
            );
        }),
    ];
    on_cleanup(move || listeners.into_iter().for_each(|listener| listener.remove()));
    view! {
        <div class="drop" hidden=move || depth.get() == 0 aria-hidden="true"><p>"Drop the picture anywhere"</p></div>
    }
}

/// Opens the system's file dialog.
#[component]
pub fn PickButton() -> impl IntoView {
    let session = expect_context::<Session>();
    let input = NodeRef::<Input>::new();
    let picked = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(file) = first_file(input.files()) {
            session.analyse(source(file));
        }
        // The same file may be picked again.
        input.set_value("");
    };
    view! {
        <label class="primary pick">
            <input node_ref=input class="visually-hidden" type="file" accept="image/*" data-testid="file-input"
                on:change=picked/>
            "Open a picture"
        </label>
    }
}

/// Text that is dragged about is none of our business until it is dropped.
fn brings_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

fn take(state: State, session: Session, data: Option<DataTransfer>, nothing: &str) {
    match first_file(data.and_then(|data| data.files())) {
        Some(file) => session.analyse(source(file)),
        None => state.notice.set(Some(Notice { tone: Tone::Error, text: nothing.into() })),
    }
}

/// The first picture, or else the first file, whose trouble is then named.
fn first_file(files: Option<FileList>) -> Option<File> {
    let files = files?;
    let all: Vec<File> = (0..files.length()).filter_map(|index| files.get(index)).collect();
    all.iter().find(|file| file.type_().starts_with("image/")).or(all.first()).cloned()
}

fn source(file: File) -> Source {
    Source::File { name: file.name(), blob: file.into() }
}
