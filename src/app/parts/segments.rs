use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// One of several things to choose from.
#[derive(Clone, PartialEq)]
pub struct Choice<T> {
    pub value: T,
    /// For tests and styles.
    pub id: String,
    pub label: String,
}

/// What a row of choices is to someone who does not see it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Switches what the picture shows.
    Tabs,
    /// Sets a value.
    Options,
}

impl Role {
    fn of_row(self) -> &'static str {
        if self == Role::Tabs { "tablist" } else { "radiogroup" }
    }

    fn of_choice(self) -> &'static str {
        if self == Role::Tabs { "tab" } else { "radio" }
    }
}

/// A row of buttons of which one is on; arrow keys move along it.
#[component]
pub fn Segments<T>(
    label: &'static str,
    testid: &'static str,
    role: Role,
    #[prop(into)] choices: Signal<Vec<Choice<T>>>,
    #[prop(into)] chosen: Signal<T>,
    #[prop(into)] choose: Callback<T>,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let on_keydown = move |event: KeyboardEvent| {
        let all = choices.get_untracked();
        let Some(position) = all.iter().position(|choice| choice.value == chosen.get_untracked()) else { return };
        let next = match event.key().as_str() {
            "ArrowRight" => (position + 1) % all.len(),
            "ArrowLeft" => (position + all.len() - 1) % all.len(),
            // Of a group of radio buttons; of tabs they walk the branches.
            "ArrowDown" if role == Role::Options => (position + 1) % all.len(),
            "ArrowUp" if role == Role::Options => (position + all.len() - 1) % all.len(),
            "Home" => 0,
            "End" => all.len() - 1,
            _ => return,
        };
        event.prevent_default();
        choose.run(all[next].value);
        focus_child(&event, next as u32);
    };
    view! {
        <div class="segments" role=role.of_row() aria-label=label on:keydown=on_keydown>
            <For each=move || choices.get() key=|choice| (choice.id.clone(), choice.label.clone()) let:choice>
                {
                    let value = choice.value;
                    let is_on = move || chosen.get() == value;
                    view! {
                        <button
                            class="segment"
                            type="button"
                            role=role.of_choice()
                            aria-selected=move || (role == Role::Tabs).then(|| is_on().to_string())
                            aria-checked=move || (role == Role::Options).then(|| is_on().to_string())
                            aria-controls=(role == Role::Tabs).then_some("picture")
                            tabindex=move || if is_on() { "0" } else { "-1" }
                            data-testid=testid
                            data-value=choice.id.clone()
                            on:click=move |_| choose.run(value)
                        >
                            {choice.label.clone()}
                        </button>
                    }
                }
            </For>
        </div>
    }
}

/// Moves the focus to a child of the element that heard the event.
fn focus_child(event: &KeyboardEvent, position: u32) {
    let row: Option<HtmlElement> = event.current_target().and_then(|row| row.dyn_into().ok());
    let child = row.and_then(|row| row.children().item(position));
    if let Some(child) = child.and_then(|child| child.dyn_into::<HtmlElement>().ok()) {
        // A button that cannot take the focus leaves it where it was.
        let _ = child.focus();
    }
}
