//! Numbers and names as people read them.

use crate::graph::UnitKind;
use crate::reading::{LayerReading, Replacement, UnitReading};

/// Keeps a number and its unit on one line.
const NBSP: char = '\u{a0}';

/// Three significant digits, with a power of ten where plain digits would be unwieldy.
pub fn number(value: f32) -> String {
    if value.is_nan() {
        return "undefined".into();
    }
    let magnitude = value.abs();
    let text = if magnitude == 0.0 {
        "0".into()
    } else if !(1e-3..1e5).contains(&magnitude) {
        return power_of_ten(value, 2);
    } else {
        let digits = (2 - magnitude.log10().floor() as i32).clamp(0, 5) as usize;
        format!("{magnitude:.digits$}")
    };
    if value < 0.0 { format!("−{text}") } else { text }
}

/// A rounding error: one digit is enough.
pub fn tiny(value: f32) -> String {
    if value == 0.0 { "0".into() } else { power_of_ten(value, 1) }
}

fn power_of_ten(value: f32, digits: usize) -> String {
    let text = format!("{:.*e}", digits - 1, value.abs());
    let sign = if value < 0.0 { "−" } else { "" };
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{sign}{mantissa}{NBSP}×{NBSP}10{}", superscript(exponent)),
        None => text,
    }
}

fn superscript(digits: &str) -> String {
    let raise = |digit: char| match digit {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    };
    digits.chars().map(raise).collect()
}

/// A gate, which lies between 0 and 1.
pub fn gate(value: f32) -> String {
    format!("{value:.2}")
}

/// How far a gate moved.
pub fn small(change: f32) -> String {
    if change < 0.005 { "<0.01".into() } else { gate(change) }
}

pub fn percent(part: f32) -> String {
    format!("{:.1}{NBSP}%", part * 100.0)
}

/// Decimal megabytes, as browsers count downloads; gigabytes where these would be many.
pub fn megabytes(bytes: u64) -> String {
    match bytes {
        1_000_000_000.. => format!("{:.1}{NBSP}GB", bytes as f64 / 1e9),
        100_000_000.. => format!("{:.0}{NBSP}MB", bytes as f64 / 1e6),
        _ => format!("{:.1}{NBSP}MB", bytes as f64 / 1e6),
    }
}

/// Millions or thousands, as papers count parameters.
pub fn count(count: u64) -> String {
    match count {
        1_000_000.. => format!("{:.1}{NBSP}M", count as f64 / 1e6),
        1_000.. => format!("{:.0}{NBSP}k", count as f64 / 1e3),
        _ => count.to_string(),
    }
}

pub fn milliseconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.0}{NBSP}ms") } else { format!("{:.1}{NBSP}s", ms / 1000.0) }
}

/// A time that was measured, to three digits.
pub fn measured(ms: f64) -> String {
    match ms {
        1000.0.. => format!("{:.2}{NBSP}s", ms / 1000.0),
        100.0.. => format!("{ms:.0}{NBSP}ms"),
        10.0.. => format!("{ms:.1}{NBSP}ms"),
        1.0.. => format!("{ms:.2}{NBSP}ms"),
        _ => format!("{ms:.3}{NBSP}ms"),
    }
}

/// Stage and position of a module, both from 1, the stem not counted: `layer2.0.conv2` is (2, 1), in the table of
/// ResNet's paper conv3_1. In a module's path a bare number counts from 0, one with letters (`layer2`, `b1`) from 1.
pub fn place(module: &str) -> (usize, usize) {
    let number = |part: &str| {
        let digits = part.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let number: usize = digits.parse().ok()?;
        Some(number + usize::from(digits.len() == part.len()))
    };
    let mut numbers = module.split('.').filter_map(number);
    (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1))
}

/// For example `2.1`.
pub fn place_name(module: &str) -> String {
    let (stage, block) = place(module);
    format!("{stage}.{block}")
}

pub fn unit_name(unit: &UnitReading) -> String {
    place_name(&unit.name)
}

/// The kind of a unit's attention, as its paper calls it.
pub fn attention(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::SplitAttention { .. } => "split attention",
        UnitKind::SelectiveKernel { .. } => "selective kernels",
        UnitKind::SqueezeExcite => "squeeze and excitation",
    }
}

/// What a branch is called where it is chosen; one of selective kernels says how far it reaches.
pub fn branch(kind: Option<UnitKind>, branch: usize) -> String {
    match kind {
        Some(UnitKind::SelectiveKernel { .. }) => format!("Branch {}, {1} × {1}", branch + 1, kernel_reach(branch)),
        Some(UnitKind::SplitAttention { .. } | UnitKind::SqueezeExcite) | None => format!("Branch {}", branch + 1),
    }
}

/// Side in pixels of what a branch of selective kernels reaches: 3x3, dilated once more from branch to branch.
pub fn kernel_reach(branch: usize) -> usize {
    2 * branch + 3
}

/// What has become of a unit's gates, for example `uniform`.
pub fn replaced(replacement: &Replacement, branches: usize) -> String {
    match replacement {
        Replacement::Uniform => "uniform".into(),
        Replacement::Swap => "swapped".into(),
        Replacement::Branch(_) if branches == 1 => "all open".into(),
        Replacement::Branch(branch) => format!("branch {branch} alone"),
        Replacement::ByHand(weights) if weights.len() <= branches => {
            let weights: Vec<String> = weights.iter().map(|weight| gate(*weight)).collect();
            format!("by hand {}", weights.join(" / "))
        }
        Replacement::ByHand(_) => "by hand".into(),
    }
}

/// A difference of probabilities, for example `+1.2`.
pub fn points(difference: f32) -> String {
    match (difference * 1000.0).round() {
        0.0 => "0.0".into(),
        tenths if tenths < 0.0 => format!("−{:.1}", tenths.abs() / 10.0),
        tenths => format!("+{:.1}", tenths / 10.0),
    }
}

/// Small counts in words, as prose has them.
pub fn spelled(count: usize) -> String {
    const WORDS: [&str; 7] = ["no", "one", "two", "three", "four", "five", "six"];
    WORDS.get(count).map_or_else(|| count.to_string(), |word| (*word).to_string())
}

pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A layer's channels, for example `128 channels in 32 groups`.
pub fn grouped(channels: usize, groups: usize) -> String {
    match groups {
        1 => format!("{channels} channels in one group"),
        _ if groups == channels => format!("{channels} channels, each a group of its own"),
        _ => format!("{channels} channels in {groups} groups"),
    }
}

/// What a feature map of a layer is called.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupName {
    /// Under the map.
    pub short: String,
    /// In a sentence.
    pub long: String,
}

impl GroupName {
    /// Of a group, or of the mean of all channels. Groups count from 1, channels from 0.
    pub fn of(layer: &LayerReading, group: Option<usize>) -> Self {
        let LayerReading { groups, channels, .. } = *layer;
        let (short, long) = match group {
            None => ("mean".into(), format!("all {channels} channels")),
            Some(channel) if groups == channels => (channel.to_string(), format!("channel {channel}")),
            Some(group) => {
                let each = channels / groups;
                let (first, last) = (group * each, (group + 1) * each - 1);
                ((group + 1).to_string(), format!("group {} (channels {first} to {last})", group + 1))
            }
        };
        Self { short, long }
    }
}
