use leptos::prelude::*;

use super::explain_features::of_features;
use super::explain_replaced::Replaced;
use crate::app::lens::{self, Shown};
use crate::app::parts::Term;
use crate::app::state::{State, View};
use crate::app::words;
use crate::graph::UnitKind;
use crate::reading::{Replacement, Residual, UnitReading};

/// One plain sentence on what lies over the picture, and the check that it adds up.
#[component]
pub fn Explain() -> impl IntoView {
    let state = expect_context::<State>();
    let facts = Memo::new(move |_| {
        let by_hand = |unit: &UnitReading| {
            let how = state.with_what_if(|what_if| what_if.of(&unit.name).cloned()).flatten();
            matches!(how, Some(Replacement::ByHand(_)))
        };
        state.with_unit(|unit| Facts { by_hand: by_hand(unit), ..Facts::new(unit) })
    });
    view! {
        <section class="explain" aria-label="What you see" data-testid="explain">
            {move || match (state.view.get(), facts.get()) {
                (View::Class, _) => of_class(state).into_any(),
                (View::Features, _) => of_features(state).into_any(),
                (view, Some(facts)) => of_branch(view, state.branch.get(), facts).into_any(),
                (_, None) => ().into_any(),
            }}
            <Replaced/>
        </section>
    }
}

/// What the colours of a scale say that begins wherever its maps do, unless values are below zero.
fn colours_in_words() -> impl IntoView + use<> {
    let shown = expect_context::<Shown>().0;
    move || match shown.with(|lens| lens.as_ref().is_some_and(|lens| lens.scale.range.is_signed())) {
        true => "The middle of the scale is zero; values below it have the colours on its left.",
        false => "The darkest colour is the least value of the scale, which need not be zero.",
    }
}

const NO_PLACE: &str = "A gate has no place in the picture; where its values are large comes from the activations. ";

/// What the sentences need to know of the chosen unit.
#[derive(Clone, PartialEq)]
struct Facts {
    name: String,
    stage: (usize, usize),
    kind: UnitKind,
    branches: usize,
    channels: usize,
    residual: Residual,
    /// The visitor set its gates.
    by_hand: bool,
}

impl Facts {
    fn new(unit: &UnitReading) -> Self {
        Self {
            name: words::unit_name(unit),
            stage: words::place(&unit.name),
            kind: unit.kind,
            branches: unit.branches(),
            channels: unit.gates.channels,
            residual: unit.residual(),
            by_hand: false,
        }
    }
}

fn of_branch(view: View, branch: usize, facts: Facts) -> impl IntoView {
    let sentence = match view {
        View::Contribution => contribution(branch, &facts).into_any(),
        View::Share => share(branch, &facts).into_any(),
        View::Difference => difference(branch, &facts).into_any(),
        View::Activation | View::Features | View::Class => activation(branch, &facts).into_any(),
    };
    let Residual { absolute, relative } = facts.residual;
    let maps = match facts.branches {
        1 => "The branch’s contribution is".to_string(),
        branches => format!("The {} branches’ contributions add up to", words::spelled(branches)),
    };
    view! {
        <p>{sentence}</p>
        <p class="muted">
            {maps}" the unit’s output, on this picture to within "
            <span data-testid="residual" data-relative=format!("{relative:e}") data-absolute=format!("{absolute:e}")>
                {words::tiny(relative)}
            </span>
            " of its largest value."
        </p>
        <p class="muted">{structure(&facts)}</p>
    }
}

fn subject(branch: usize, facts: &Facts) -> impl IntoView + use<> {
    let (stage, block) = facts.stage;
    let meaning = format!(
        "One block of attention. This one is number {block} of stage {stage}: it makes {} of features from what comes \
         in and decides, channel by channel, how much of each to keep.",
        branches_in_words(facts.branches)
    );
    view! { <strong>{format!("Branch {}", branch + 1)}</strong>" of "<Term word="unit" meaning=meaning/>" "{facts.name.clone()} }
}

fn contribution(branch: usize, facts: &Facts) -> impl IntoView + use<> {
    let subject = subject(branch, facts);
    view! {
        {subject}": "{gate_term(facts)}" × "{activation_term(facts)}
        {format!(", summed over its {} channels. ", facts.channels)}
        {NO_PLACE}{colours_in_words()}
    }
}

fn share(branch: usize, facts: &Facts) -> impl IntoView + use<> {
    let subject = subject(branch, facts);
    view! {
        {subject}": its part of what all branches contribute, cell by cell. A contribution is "{gate_term(facts)}" × "
        {activation_term(facts)}", summed over channels: never negative, so this is a true share between 0 and 1. "
        {NO_PLACE}
    }
}

fn difference(branch: usize, facts: &Facts) -> impl IntoView + use<> {
    let subject = subject(branch, facts);
    let other = match facts.branches {
        2 => format!("branch {}’s", 2 - branch),
        _ => "the mean of the other branches’".into(),
    };
    view! {
        {subject}{format!(": its contribution minus {other}, cell by cell. A contribution is ")}
        {gate_term(facts)}" × "{activation_term(facts)}", summed over channels. "{NO_PLACE}
    }
}

fn activation(branch: usize, facts: &Facts) -> impl IntoView + use<> {
    let subject = subject(branch, facts);
    view! {
        {subject}": its "{activation_term(facts)}
        {format!("s, summed over its {} channels, before any ", facts.channels)}{gate_term(facts)}" weighs them. "
        {colours_in_words()}
    }
}

fn gate_term(facts: &Facts) -> impl IntoView + use<> {
    let sum = match facts.branches {
        1 => "",
        _ if facts.by_hand => " Set by hand, the branches’ gates need not add up to one.",
        _ => " For every channel the branches’ gates add up to one.",
    };
    let meaning = format!(
        "A number between 0 and 1 for one channel of one branch: how much of it the unit keeps on this picture. It has \
         no height or width.{sum}"
    );
    view! { <Term word="gate" meaning=meaning/> }
}

fn activation_term(facts: &Facts) -> impl IntoView + use<> {
    let meaning = "What one channel answers at one place of the picture: how strongly it found what it looks for.";
    let sign = match facts.kind {
        UnitKind::SqueezeExcite => {
            " Never negative where a ReLU comes before the unit, as in a RegNetY; it may be in a ResNet or an EfficientNet."
        }
        UnitKind::SplitAttention { .. } | UnitKind::SelectiveKernel { .. } => {
            " Never negative here, since a ReLU comes before."
        }
    };
    view! { <Term word="activation" meaning=format!("{meaning}{sign}")/> }
}

/// The unit in its paper's terms.
fn structure(facts: &Facts) -> impl IntoView + use<> {
    let channels = facts.channels;
    let name = words::capitalised(words::attention(facts.kind));
    match facts.kind {
        UnitKind::SplitAttention { radix, cardinality } => view! {
            {format!("{name}, ")}<Term word="radix" meaning=radix_meaning(radix)/>{format!(" {radix}, ")}
            <Term word="cardinality" meaning=cardinality_meaning(cardinality)/>
            {format!(" {cardinality}, {channels} channels.")}
        }
        .into_any(),
        UnitKind::SelectiveKernel { paths } => {
            let reach = |path: usize| format!("branch {} reaches {1} × {1}", path + 1, words::kernel_reach(path));
            let reaches = (0..paths).map(reach).collect::<Vec<_>>().join(", ");
            let meaning = "Each branch is a 3 × 3 convolution. From the second on its nine weights lie apart, so that it \
                           reaches further with no more weights.";
            view! {
                {format!("{name}, ")}<Term word="dilated" meaning=meaning.to_string()/>
                {format!(": {reaches}; {channels} channels.")}
            }
            .into_any()
        }
        UnitKind::SqueezeExcite => format!("{name}, {channels} channels.").into_any(),
    }
}

fn radix_meaning(radix: usize) -> String {
    let competing = match radix {
        1 => "here one, so that nothing competes and each gate is a sigmoid by itself".into(),
        radix => format!("here {radix}"),
    };
    format!(
        "How many splits compete for every channel: {competing}. A split is the output of one part of the unit’s \
         convolution; this page calls it a branch."
    )
}

fn cardinality_meaning(cardinality: usize) -> String {
    format!(
        "Into how many groups the channels are divided; a group’s gates are computed from its own channels alone: here \
         {cardinality}."
    )
}

fn of_class(state: State) -> impl IntoView {
    let evidence = Memo::new(move |_| lens::evidence(state));
    let name = move || {
        let class = state.shown_class()?;
        state.analysis.with(|analysis| Some(analysis.as_ref()?.model.label(class).to_string()))
    };
    let probability = move || {
        let class = state.shown_class()?;
        state.analysis.with(|analysis| analysis.as_ref()?.probabilities.get(class).copied().map(words::percent))
    };
    let cells = move || {
        state.analysis.with(|analysis| {
            let shape = analysis.as_ref()?.reading.features.shape;
            Some(format!("{} channels, {} × {} cells", shape.channels, shape.height, shape.width))
        })
    };
    let logit = "The network’s score for a class, before the softmax turns all scores into probabilities.";
    view! {
        <p>
            "Where the evidence for "<strong>{name}</strong>" ("{probability}") lies: the last feature map ("{cells}
            "), each channel weighted as the classifier weighs it for this class. A cell has seen far more of the picture \
             than its square."
        </p>
        <p class="muted">
            "Its mean plus the bias is the class’s "<Term word="logit" meaning=logit.to_string()/>": "
            {move || evidence.get().map(|evidence| {
                let sum = evidence.mean + evidence.bias;
                let miss = (sum - evidence.logit).abs();
                view! {
                    {format!("{} + {} = {}", words::number(evidence.mean), words::number(evidence.bias), words::number(sum))}
                    "; the network’s own is "{words::number(evidence.logit)}", off by "
                    <span data-testid="logit-residual" data-absolute=format!("{miss:e}")>{words::tiny(miss)}</span>"."
                }
            })}
        </p>
    }
}

fn branches_in_words(branches: usize) -> String {
    if branches == 1 { "one branch".into() } else { format!("{} branches", words::spelled(branches)) }
}
