//! Pictures and checkpoints arriving at the window: dropped anywhere, pasted, or picked.

use leptos::ev::{self, DragEvent};
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{DataTransfer, Event, File, FileList, HtmlInputElement};

use super::intake::Source;
use super::session::Session;
use super::state::{Notice, State, Tone};

/// Hears drops and pastes; says so over the whole window while something is dragged.
#[component]
pub fn DropAnywhere() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    // Entering a child comes before leaving its parent, hence a count.
    let depth = RwSignal::new(0_i32);
    // A field takes text by itself.
    let is_ours = |event: &DragEvent| brings_files(event) || !is_for_a_field(event);
    let hold = move |event: &DragEvent| {
        if is_ours(event) {
            event.prevent_default();
        }
    };
    let listeners = [
        window_event_listener(ev::dragenter, move |event| {
            hold(&event);
            depth.update(|depth| *depth += i32::from(brings_files(&event)));
        }),
        window_event_listener(ev::dragover, move |event| hold(&event)),
        window_event_listener(ev::dragleave, move |_| depth.update(|depth| *depth = (*depth - 1).max(0))),
        window_event_listener(ev::drop, move |event| {
            hold(&event);
            depth.set(0);
            if is_ours(&event) {
                let nothing = "What was dropped is no file. Save the picture, then drop it here.";
                take(state, session, event.data_transfer(), Some(nothing));
            }
        }),
        window_event_listener(ev::paste, move |event| {
            let nothing = "The clipboard holds no picture. Copy one, then paste it here.";
            take(state, session, event.clipboard_data(), (!is_for_a_field(&event)).then_some(nothing));
        }),
    ];
    on_cleanup(move || listeners.into_iter().for_each(|listener| listener.remove()));
    view! {
        <div class="drop" hidden=move || depth.get() == 0 aria-hidden="true"><p>"Drop a picture or a .safetensors file anywhere"</p></div>
    }
}

/// Opens the system's file dialog.
#[component]
pub fn PickButton() -> impl IntoView {
    let session = expect_context::<Session>();
    let input = NodeRef::<Input>::new();
    let picked = move |_| {
        let Some(input) = input.get_untracked() else { return };
        accept(session, all_files(input.files()));
        // The same file may be picked again.
        input.set_value("");
    };
    view! {
        <label class="primary pick">
            <input node_ref=input class="visually-hidden" type="file" accept="image/*,.safetensors,.json" multiple
                data-testid="file-input"
                on:change=picked/>
            "Open a file"
        </label>
    }
}

/// Text that is dragged about is none of our business until it is dropped.
fn brings_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Whether it goes to a field, which takes text.
fn is_for_a_field(event: &Event) -> bool {
    event.target().is_some_and(|target| target.has_type::<HtmlInputElement>())
}

/// `nothing`: what to say where no file is.
fn take(state: State, session: Session, data: Option<DataTransfer>, nothing: Option<&str>) {
    let taken = accept(session, all_files(data.and_then(|data| data.files())));
    if let Some(nothing) = nothing.filter(|_| !taken) {
        state.notice.set(Some(Notice { tone: Tone::Error, text: nothing.into() }));
    }
}

/// Hands over a checkpoint with what lies beside it, or else the first picture, or else the first file, whose
/// trouble is then named; says whether there was a file at all.
fn accept(session: Session, files: Vec<File>) -> bool {
    if files.iter().any(is_checkpoint) {
        session.take_checkpoint(files);
        return true;
    }
    let picture = files.iter().find(|file| file.type_().starts_with("image/")).or(files.first());
    if let Some(file) = picture {
        session.analyse(Source::File { name: file.name(), blob: file.clone().into() });
    }
    picture.is_some()
}

fn all_files(files: Option<FileList>) -> Vec<File> {
    files.map_or(Vec::new(), |files| (0..files.length()).filter_map(|index| files.get(index)).collect())
}

/// Whether a file calls itself a checkpoint.
pub fn is_checkpoint(file: &File) -> bool {
    file.name().to_lowercase().ends_with(".safetensors")
}
