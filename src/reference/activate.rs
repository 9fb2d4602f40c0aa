use crate::graph::{Activation, Tensor};

/// The activation of every value.
pub fn activate(x: &Tensor, activation: Activation) -> Tensor {
    let function = |x: f32| match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
    };
    Tensor::new(x.shape, x.values.iter().map(|&x| function(x)).collect())
}

pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_known_points() {
        let x = Tensor::vector(vec![-1.0, 0.0, 7.0]);
        let values = |activation| activate(&x, activation).values;
        assert_eq!(values(Activation::Relu), [0.0, 0.0, 7.0]);
        assert_eq!(values(Activation::Relu6), [0.0, 0.0, 6.0]);
        assert_eq!(values(Activation::Sigmoid)[1], 0.5);
        assert!((values(Activation::Silu)[0] + 0.268_941_4).abs() < 1e-6);
    }
}
