use std::collections::BTreeMap;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use crate::graph::Parameter;

/// Why a file cannot serve as a network's weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeightsError {
    #[error("the file is not a whole safetensors file: {0}")]
    Format(String),
    #[error("tensor `{name}` is stored as {found}, but only F32, F16 and BF16 can be read")]
    Dtype { name: String, found: String },
    #[error("tensor `{name}` holds a value that is not finite")]
    NotFinite { name: String },
    #[error("{}", mismatch(missing, unexpected, misshapen))]
    Mismatch { missing: Vec<String>, unexpected: Vec<String>, misshapen: Vec<String> },
}

fn mismatch(missing: &[String], unexpected: &[String], misshapen: &[String]) -> String {
    let list = |what: &str, names: &[String]| match names.len() {
        0 => None,
        count @ 1..=3 => Some(format!("{count} {what} ({})", names.join(", "))),
        count => Some(format!("{count} {what} ({}, ..)", names[..3].join(", "))),
    };
    let parts = [list("missing", missing), list("unexpected", unexpected), list("of another shape", misshapen)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("the tensors do not fit the network: {}", parts.join("; "))
}

/// The tensors of a safetensors file, as f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Checkpoint {
    /// Reads a whole file: f32, f16 and bf16 tensors; every value must be finite. PyTorch's integer
    /// `num_batches_tracked` counters are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Format(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if name.ends_with(".num_batches_tracked") {
                continue;
            }
            let data = view.data();
            let values: Vec<f32> = match view.dtype() {
                Dtype::F32 => floats(data, f32::from_le_bytes),
                Dtype::F16 => floats(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
                Dtype::BF16 => floats(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
                found => return Err(WeightsError::Dtype { name, found: format!("{found:?}") }),
            };
            if !values.iter().all(|value| value.is_finite()) {
                return Err(WeightsError::NotFinite { name });
            }
            tensors.insert(name, Tensor { shape: view.shape().to_vec(), values });
        }
        Ok(Self { tensors })
    }

    /// A checkpoint made in memory: name, shape, values.
    pub fn from_tensors(tensors: impl IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>) -> Self {
        let tensors = tensors.into_iter().map(|(name, shape, values)| (name, Tensor { shape, values }));
        Self { tensors: tensors.collect() }
    }

    /// Whether the file holds exactly the tensors that a graph needs, each with its shape.
    pub fn check(&self, parameters: &[Parameter]) -> Result<(), WeightsError> {
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for parameter in parameters {
            match self.tensors.get(&parameter.name) {
                None => missing.push(parameter.name.clone()),
                Some(tensor) if tensor.shape != parameter.shape => {
                    misshapen.push(format!("{}: {:?} for {:?}", parameter.name, tensor.shape, parameter.shape));
                }
                Some(_) => {}
            }
        }
        let known: std::collections::BTreeSet<&String> = parameters.iter().map(|parameter| &parameter.name).collect();
        let unexpected: Vec<String> = self.tensors.keys().filter(|name| !known.contains(name)).cloned().collect();
        match missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
            true => Ok(()),
            false => Err(WeightsError::Mismatch { missing, unexpected, misshapen }),
        }
    }

    /// Values of a tensor in PyTorch's order. Panics unless [`check`](Self::check) has passed.
    pub fn values(&self, name: &str) -> &[f32] {
        let tensor = self.tensors.get(name);
        &tensor.unwrap_or_else(|| panic!("{name} is not in the checkpoint, which was to be checked")).values
    }
}

fn floats<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| read(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::{TensorView, serialize};

    fn file(name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) -> Vec<u8> {
        serialize([(name, TensorView::new(dtype, shape.to_vec(), data).unwrap())], None).unwrap()
    }

    fn parameter(name: &str, shape: &[usize]) -> Parameter {
        Parameter { name: name.into(), shape: shape.to_vec(), trainable: true }
    }

    #[test]
    fn reads_the_three_float_types() {
        let one_and_half = [1.5f32.to_le_bytes().to_vec(), (-2f32).to_le_bytes().to_vec()].concat();
        let half = [f16::from_f32(1.5).to_le_bytes(), f16::from_f32(-2.0).to_le_bytes()].concat();
        let brain = [bf16::from_f32(1.5).to_le_bytes(), bf16::from_f32(-2.0).to_le_bytes()].concat();
        for (dtype, data) in [(Dtype::F32, one_and_half), (Dtype::F16, half), (Dtype::BF16, brain)] {
            let checkpoint = Checkpoint::parse(&file("w", dtype, &[2], &data)).unwrap();
            assert_eq!(checkpoint.values("w"), [1.5, -2.0]);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_file() {
        let whole = file("w", Dtype::F32, &[2], &[0; 8]);
        for length in 0..whole.len() {
            assert!(matches!(Checkpoint::parse(&whole[..length]), Err(WeightsError::Format(_))), "{length} bytes");
        }
        let integers = Checkpoint::parse(&file("w", Dtype::I32, &[2], &[0; 8]));
        assert!(integers.unwrap_err().to_string().contains("`w` is stored as I32"));
        let nan = Checkpoint::parse(&file("w", Dtype::F32, &[1], &f32::NAN.to_le_bytes()));
        assert_eq!(nan, Err(WeightsError::NotFinite { name: "w".into() }));
        let huge_header = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
        assert!(matches!(Checkpoint::parse(&huge_header), Err(WeightsError::Format(_))));
    }

    #[test]
    fn names_every_tensor_that_does_not_fit() {
        let checkpoint = Checkpoint::parse(&file("w", Dtype::F32, &[2], &[0; 8])).unwrap();
        assert_eq!(checkpoint.check(&[parameter("w", &[2])]), Ok(()));
        let text = checkpoint.check(&[parameter("w", &[1, 2]), parameter("b", &[2])]).unwrap_err().to_string();
        assert!(text.contains("1 missing (b)") && text.contains("w: [2] for [1, 2]"), "{text}");
        let text = checkpoint.check(&[]).unwrap_err().to_string();
        assert!(text.contains("1 unexpected (w)"), "{text}");
    }

    #[test]
    fn counters_of_batches_are_passed_over() {
        let counter = file("bn1.num_batches_tracked", Dtype::I64, &[], &[0; 8]);
        assert_eq!(Checkpoint::parse(&counter), Ok(Checkpoint::default()));
    }
}
