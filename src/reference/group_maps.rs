use crate::graph::Tensor;

/// The mean over the channels of each group of consecutive channels, pixel by pixel.
///
/// `x`: `[C, H, W]`; `groups` divides `C`. Returns `[groups, H, W]`.
pub fn group_maps(x: &Tensor, groups: usize) -> Tensor {
    let channels = x.shape.channels / groups;
    Tensor::from_fn(x.shape.with_channels(groups), |group, i, j| {
        let sum: f32 = (group * channels..(group + 1) * channels).map(|c| x.at(c, i, j)).sum();
        sum / channels as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(4, 1, 2), vec![1.0, 2.0, 3.0, 6.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(group_maps(&x, 2).values, [2.0, 4.0, 20.0, 30.0]);
        assert_eq!(group_maps(&x, 1).values, [11.0, 17.0]);
    }

    #[test]
    fn a_group_of_one_channel_is_that_channel() {
        let x = Tensor::from_fn(Shape::new(5, 2, 3), |c, i, j| (c * 7 + i * 3 + j) as f32);
        assert_eq!(group_maps(&x, 5), x);
    }
}
