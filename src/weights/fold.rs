use super::{Checkpoint, WeightsError};
use crate::graph::ConvStep;

/// A convolution's weight and bias with batch norm folded in.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldedConv {
    /// `[out_channels, in_channels / groups, kernel, kernel]`
    pub weight: Vec<f32>,
    /// `[out_channels]`
    pub bias: Vec<f32>,
}

/// `norm(conv(x)) = (conv(x) + bias - mean) * scale + shift` with
/// `scale = weight / sqrt(variance + epsilon)`: the scale goes into the convolution's weight, the rest
/// into its bias. Computed in f64, since small variances make large scales. Finite statistics can still fold to
/// what is not: a negative variance, a scale too large.
pub fn fold(checkpoint: &Checkpoint, step: &ConvStep) -> Result<FoldedConv, WeightsError> {
    let tensor = |path: &str, suffix: &str| checkpoint.values(&format!("{path}.{suffix}"));
    let mut weight = tensor(&step.name, "weight").to_vec();
    let mut bias = match step.conv.bias {
        true => tensor(&step.name, "bias").to_vec(),
        false => vec![0.0; step.conv.out_channels],
    };
    if let Some((path, norm)) = &step.norm {
        let per_channel = weight.len() / step.conv.out_channels;
        let (gamma, beta) = (tensor(path, "weight"), tensor(path, "bias"));
        let (mean, variance) = (tensor(path, "running_mean"), tensor(path, "running_var"));
        for (channel, weight) in weight.chunks_exact_mut(per_channel).enumerate() {
            let deviation = (f64::from(variance[channel]) + f64::from(norm.epsilon)).sqrt();
            let scale = f64::from(gamma[channel]) / deviation;
            for value in weight {
                *value = (f64::from(*value) * scale) as f32;
            }
            let centred = f64::from(bias[channel]) - f64::from(mean[channel]);
            bias[channel] = (centred * scale + f64::from(beta[channel])) as f32;
        }
    }
    match weight.iter().chain(&bias).all(|value| value.is_finite()) {
        true => Ok(FoldedConv { weight, bias }),
        false => Err(WeightsError::NotFinite { name: format!("{}.weight, batch norm folded in", step.name) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Activation, BatchNorm, Conv};

    fn tensor(name: &str, values: &[f32]) -> (String, Vec<usize>, Vec<f32>) {
        (name.to_string(), vec![values.len()], values.to_vec())
    }

    #[test]
    fn a_variance_below_zero_is_refused() {
        let ones = ["c.weight", "n.weight", "n.bias", "n.running_mean"].map(|name| tensor(name, &[1.0]));
        let checkpoint = Checkpoint::from_tensors(ones.into_iter().chain([tensor("n.running_var", &[-1.0])]));
        let step = ConvStep {
            conv: Conv::new(1, 1),
            name: "c".into(),
            norm: Some(("n".into(), BatchNorm::default())),
            activation: Activation::Identity,
            shortcut: false,
        };
        assert!(fold(&checkpoint, &step).unwrap_err().to_string().contains("not finite"));
    }

    #[test]
    fn folds_scale_into_the_weight_and_the_rest_into_the_bias() {
        let checkpoint = Checkpoint::from_tensors([
            tensor("c.weight", &[1.0, 2.0]),
            tensor("c.bias", &[0.5, 0.0]),
            tensor("n.weight", &[2.0, 1.0]),
            tensor("n.bias", &[1.0, -1.0]),
            tensor("n.running_mean", &[0.5, 3.0]),
            tensor("n.running_var", &[3.0, 0.0]),
        ]);
        let step = ConvStep {
            conv: Conv::new(1, 2).bias(),
            name: "c".into(),
            norm: Some(("n".into(), BatchNorm { epsilon: 1.0 })),
            activation: Activation::Identity,
            shortcut: false,
        };
        // Channel 0: scale 2 / sqrt(3 + 1) = 1; bias (0.5 - 0.5) * 1 + 1. Channel 1: scale 1; 0 - 3 - 1.
        let folded = FoldedConv { weight: vec![1.0, 2.0], bias: vec![1.0, -4.0] };
        assert_eq!(fold(&checkpoint, &step), Ok(folded));
    }
}
