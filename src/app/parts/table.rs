use leptos::prelude::*;

/// A table for who would rather read numbers than look at a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub caption: String,
    pub head: Vec<String>,
    /// The first cell of a row is its heading.
    pub rows: Vec<Vec<String>>,
}

/// A button that shows a chart's numbers as a table; they are made only while it is open.
#[component]
pub fn TableButton(
    /// What is shown, for the button's name.
    what: &'static str,
    testid: &'static str,
    table: impl Fn() -> Table + Send + Sync + 'static,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let text = move || if open.get() { "Hide table" } else { "Table" };
    view! {
        <div class="table-button">
            <button
                class="quiet"
                type="button"
                data-testid=testid
                aria-expanded=move || open.get().to_string()
                aria-label=move || format!("{}: {what}", text())
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {text}
            </button>
            {move || open.get().then(|| table_view(table(), &[]))}
        </div>
    }
}

/// The table itself. `shares`, from 0 to 1: how far a bar goes under each row; none without bars.
pub fn table_view(table: Table, shares: &[f64]) -> impl IntoView + use<> {
    let row = |(index, row): (usize, Vec<String>)| {
        let bar = shares.get(index).map(|share| format!("--share: {:.1}%", share * 100.0));
        let mut cells = row.into_iter();
        let heading = cells.next();
        view! {
            <tr style=bar><th scope="row">{heading}</th>{cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}</tr>
        }
    };
    let label = table.caption.clone();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=label>
            <table>
                <caption>{table.caption}</caption>
                <thead><tr>{table.head.into_iter().map(|cell| view! { <th scope="col">{cell}</th> }).collect_view()}</tr></thead>
                <tbody>{table.rows.into_iter().enumerate().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}
