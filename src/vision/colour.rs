use super::{Map, Range, RgbImage};

/// A colour scale that is even to the eye and readable with colour-blind eyes, by the crate `colorous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColourMap {
    Viridis,
    Magma,
    Inferno,
    Cividis,
    /// Diverging, like the rest below; named from the low end to the high one.
    PurpleOrange,
    BlueRed,
    TealBrown,
}

impl ColourMap {
    /// Dark to light, for quantities.
    pub const ALL_SEQUENTIAL: [Self; 4] = [Self::Viridis, Self::Magma, Self::Inferno, Self::Cividis];
    /// Light in the middle, for differences about zero.
    pub const ALL_DIVERGING: [Self; 3] = [Self::PurpleOrange, Self::BlueRed, Self::TealBrown];

    pub fn diverges(self) -> bool {
        Self::ALL_DIVERGING.contains(&self)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Viridis => "Viridis",
            Self::Magma => "Magma",
            Self::Inferno => "Inferno",
            Self::Cividis => "Cividis",
            Self::PurpleOrange => "Purple to orange",
            Self::BlueRed => "Blue to red",
            Self::TealBrown => "Teal to brown",
        }
    }

    /// Red, green, blue at `t`, which is clamped to 0..=1; NaN counts as 0.
    pub fn sample(self, t: f32) -> [u8; 3] {
        let t = f64::from(t.max(0.0));
        let color = match self {
            Self::Viridis => colorous::VIRIDIS.eval_continuous(t),
            Self::Magma => colorous::MAGMA.eval_continuous(t),
            Self::Inferno => colorous::INFERNO.eval_continuous(t),
            Self::Cividis => colorous::CIVIDIS.eval_continuous(t),
            // The crate runs from warm to cold in the last two; larger is to be warmer here.
            Self::PurpleOrange => colorous::PURPLE_ORANGE.eval_continuous(t),
            Self::BlueRed => colorous::RED_BLUE.eval_continuous(1.0 - t),
            Self::TealBrown => colorous::BROWN_GREEN.eval_continuous(1.0 - t),
        };
        color.as_array()
    }
}

/// Steps of the table that a map is painted from: as many as a screen's channel has.
const STEPS: usize = 256;

/// Red, green, blue, alpha for each pixel, row by row: opaque where the map is defined, transparent
/// black where it is not.
pub fn paint(map: &Map, range: Range, colours: ColourMap) -> Vec<u8> {
    let table: Vec<[u8; 3]> = (0..STEPS).map(|step| colours.sample(step as f32 / (STEPS - 1) as f32)).collect();
    let pixel = |value: &f32| match range.position(*value) {
        None => [0; 4],
        Some(position) => {
            let [red, green, blue] = table[(position * (STEPS - 1) as f32).round() as usize];
            [red, green, blue, 255]
        }
    };
    map.values.iter().flat_map(pixel).collect()
}

/// Lays `rgba`, painted at the picture's extent, over the picture: `opacity` is 0 (the picture alone) to
/// 1 (the paint alone, where it is opaque). Panics unless there are four bytes per pixel.
pub fn blend(image: &RgbImage, rgba: &[u8], opacity: f32) -> RgbImage {
    assert_eq!(rgba.len(), image.width * image.height * 4, "bytes of paint");
    let mix = |(below, above): (&[u8], &[u8])| {
        let weight = opacity * f32::from(above[3]) / 255.0;
        let level = |channel: usize| {
            let (below, above) = (f32::from(below[channel]), f32::from(above[channel]));
            (below + (above - below) * weight).round() as u8
        };
        [level(0), level(1), level(2)]
    };
    let pixels = image.pixels.chunks_exact(3).zip(rgba.chunks_exact(4)).flat_map(mix).collect();
    RgbImage { pixels, ..*image }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_published_ones() {
        // matplotlib's viridis runs from #440154 to #fde725; inferno and magma begin almost black.
        assert_eq!(ColourMap::Viridis.sample(0.0), [0x44, 0x01, 0x54]);
        assert_eq!(ColourMap::Viridis.sample(1.0), [0xfd, 0xe7, 0x25]);
        assert_eq!(ColourMap::Inferno.sample(0.0), [0, 0, 4]);
        assert_eq!(ColourMap::Magma.sample(0.0), [0, 0, 4]);
        assert_eq!(ColourMap::Viridis.sample(f32::NAN), ColourMap::Viridis.sample(-3.0));
    }

    #[test]
    fn diverging_ones_are_light_in_the_middle_and_warm_at_the_high_end() {
        for colours in ColourMap::ALL_DIVERGING {
            assert!(colours.sample(0.5).iter().all(|level| *level > 230), "{}", colours.name());
            let ([low_red, _, low_blue], [high_red, _, high_blue]) = (colours.sample(0.1), colours.sample(0.9));
            assert!(low_blue > low_red && high_red > high_blue, "{}", colours.name());
        }
    }

    #[test]
    fn sequential_ones_grow_lighter_all_the_way() {
        for colours in ColourMap::ALL_SEQUENTIAL {
            let luminance = |t: f32| {
                let [red, green, blue] = colours.sample(t).map(f32::from);
                0.2126 * red + 0.7152 * green + 0.0722 * blue
            };
            let steps: Vec<f32> = (0..=16).map(|step| luminance(step as f32 / 16.0)).collect();
            assert!(steps.is_sorted(), "{}: {steps:?}", colours.name());
        }
    }

    #[test]
    fn paint_leaves_the_undefined_transparent() {
        let map = Map { width: 3, height: 1, values: vec![-1.0, f32::NAN, 1.0] };
        let found = paint(&map, Range { low: -1.0, high: 1.0 }, ColourMap::Viridis);
        assert_eq!(found, [0x44, 0x01, 0x54, 255, 0, 0, 0, 0, 0xfd, 0xe7, 0x25, 255]);
    }

    #[test]
    fn blend_by_hand() {
        let image = RgbImage { width: 2, height: 1, pixels: vec![100, 0, 255, 7, 8, 9] };
        let paint = [200, 100, 55, 255, 0, 0, 0, 0];
        assert_eq!(blend(&image, &paint, 0.5).pixels, [150, 50, 155, 7, 8, 9]);
        assert_eq!(blend(&image, &paint, 0.0), image);
        assert_eq!(blend(&image, &paint, 1.0).pixels[..3], paint[..3]);
    }
}
