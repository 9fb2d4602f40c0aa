use leptos::prelude::*;

use super::classes::ClassSelect;
use crate::app::lens;
use crate::app::parts::{Choice, Role, Segments};
use crate::app::state::{State, View};
use crate::app::words;

/// Which map lies over the picture, and of which branch or class.
#[component]
pub fn Tabs() -> impl IntoView {
    let state = expect_context::<State>();
    let views = Signal::derive(move || {
        let choice = |view: View| Choice { value: view, id: view.title().to_lowercase(), label: view.title().into() };
        lens::views(state).into_iter().map(choice).collect::<Vec<_>>()
    });
    let branches = Signal::derive(move || {
        let kind = state.with_unit(|unit| unit.kind);
        let choice =
            |branch: usize| Choice { value: branch, id: branch.to_string(), label: words::branch(kind, branch) };
        (0..state.branches()).map(choice).collect::<Vec<_>>()
    });
    view! {
        <div class="tabs">
            <Segments label="Kind of map" testid="view" role=Role::Tabs choices=views chosen=state.view
                choose=move |view| state.choose_view(view)/>
            <Show when=move || state.view.get() == View::Class><ClassSelect/></Show>
            // One branch alone is nothing to choose from.
            <Show when=move || state.view.get() != View::Class && (state.branches() > 1)>
                <Segments label="Branch" testid="branch" role=Role::Tabs choices=branches chosen=state.branch
                    choose=move |branch| state.choose_branch(branch)/>
            </Show>
        </div>
    }
}
