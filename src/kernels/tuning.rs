use std::fmt;
use std::str::FromStr;

/// Which of the kernels that compute the same an adapter is given. What is fastest differs: a processor likes
/// much work in each invocation, a graphics card has registers for less, and has shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuning {
    pub pointwise: Pointwise,
    pub conv: Tile,
    /// Whether large 3x3 convolutions go by Winograd's way.
    pub winograd: bool,
    pub loads: Loads,
    /// Whether the invocations of a workgroup share the long sums of global pooling and of linear layers.
    pub shared_sums: bool,
}

/// How the invocations of a convolution come by what they multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loads {
    /// Each loads all of it from buffers.
    Buffers,
    /// Weights are textures.
    Textures,
    /// Weights are textures, and quads or pairs of invocations exchange their pixels: the device needs subgroups.
    Quads,
}

/// How a large 1x1 convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pointwise {
    /// In registers, by an invocation for each such tile of 16 pixels.
    Registers(Tile),
    /// From shared memory.
    Shared,
}

/// How many output blocks one invocation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    Wide,
    Narrow,
}

impl Default for Tuning {
    /// The fastest on processor-backed adapters without subgroups.
    fn default() -> Self {
        Self {
            pointwise: Pointwise::Registers(Tile::Wide),
            conv: Tile::Wide,
            winograd: true,
            loads: Loads::Textures,
            shared_sums: false,
        }
    }
}

impl Pointwise {
    pub const ALL: [Self; 3] = [Self::Registers(Tile::Wide), Self::Registers(Tile::Narrow), Self::Shared];
}

impl Loads {
    pub const ALL: [Self; 3] = [Self::Quads, Self::Textures, Self::Buffers];
}

impl Tile {
    pub const ALL: [Self; 2] = [Self::Wide, Self::Narrow];
}

impl Tuning {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Self> {
        let pointwise = Pointwise::ALL.map(|pointwise| Self { pointwise, ..Self::default() }).into_iter();
        let conv = pointwise.flat_map(|tuning| Tile::ALL.map(|conv| Self { conv, ..tuning }));
        let winograd = conv.flat_map(|tuning| [true, false].map(|winograd| Self { winograd, ..tuning }));
        let loads = winograd.flat_map(|tuning| Loads::ALL.map(|loads| Self { loads, ..tuning }));
        loads.flat_map(|tuning| [false, true].map(|shared_sums| Self { shared_sums, ..tuning }))
    }
}

/// For example `wide-wide-winograd-quads` or `shared-narrow-direct-sums`: pointwise, conv, large 3x3 convolutions,
/// loads, shared sums.
impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tile = |tile| match tile {
            Tile::Wide => "wide",
            Tile::Narrow => "narrow",
        };
        let pointwise = match self.pointwise {
            Pointwise::Registers(size) => tile(size),
            Pointwise::Shared => "shared",
        };
        let large = if self.winograd { "winograd" } else { "direct" };
        let loads = match self.loads {
            Loads::Buffers => "",
            Loads::Textures => "-textures",
            Loads::Quads => "-quads",
        };
        let sums = if self.shared_sums { "-sums" } else { "" };
        write!(f, "{pointwise}-{}-{large}{loads}{sums}", tile(self.conv))
    }
}

/// The inverse of [`Display`](fmt::Display); the error is what could not be read.
impl FromStr for Tuning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|tuning| tuning.to_string() == text).ok_or_else(|| text.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tuning_has_a_name_of_its_own() {
        assert_eq!(Tuning::all().count(), 72);
        for tuning in Tuning::all() {
            assert_eq!(tuning.to_string().parse(), Ok(tuning));
        }
        assert_eq!("wide".parse::<Tuning>(), Err("wide".to_string()));
    }
}
