use std::collections::BTreeMap;

use half::{bf16, f16};

use super::header::{Dtype, Info};
use super::{Header, WeightsError};
use crate::graph::{Mismatch, Parameter, Shapes};

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
    /// Reads a whole file: f32, f16 and bf16 tensors; every value must be finite.
    pub fn parse(bytes: &[u8]) -> Result<Self, WeightsError> {
        let header = Header::parse(bytes, bytes.len() as u64)?;
        let read = |(name, Info { dtype, shape, place }): (String, Info)| {
            // The header's places are inside the file.
            let data = &bytes[place.start as usize..place.end as usize];
            let values: Vec<f32> = match dtype {
                Dtype::F32 => floats(data, f32::from_le_bytes),
                Dtype::F16 => floats(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
                Dtype::Bf16 => floats(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            };
            match values.iter().all(|value| value.is_finite()) {
                true => Ok((name, Tensor { shape, values })),
                false => Err(WeightsError::NotFinite { name }),
            }
        };
        let tensors = header.tensors.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { tensors })
    }

    /// A checkpoint made in memory: name, shape, values.
    pub fn from_tensors(tensors: impl IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>) -> Self {
        let tensors = tensors.into_iter().map(|(name, shape, values)| (name, Tensor { shape, values }));
        Self { tensors: tensors.collect() }
    }

    /// Name and shape of every tensor.
    pub fn shapes(&self) -> Shapes {
        self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect()
    }

    /// Whether the file holds exactly the tensors that a graph needs, each with its shape.
    pub fn check(&self, parameters: &[Parameter]) -> Result<(), WeightsError> {
        match Mismatch::between(parameters, &self.shapes()) {
            mismatch if mismatch.count() == 0 => Ok(()),
            mismatch => Err(WeightsError::Mismatch(mismatch)),
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
    use safetensors::tensor::{Dtype, TensorView, serialize};

    fn file(name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) -> Vec<u8> {
        serialize([(name, TensorView::new(dtype, shape.to_vec(), data).unwrap())], None).unwrap()
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
    fn values_must_be_finite() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = Checkpoint::parse(&file("w", Dtype::F32, &[1], &value.to_le_bytes()));
            assert_eq!(error, Err(WeightsError::NotFinite { name: "w".into() }));
        }
    }

    #[test]
    fn a_file_that_ends_early_is_refused() {
        let whole = file("w", Dtype::F32, &[2], &[0; 8]);
        for length in 0..whole.len() {
            let error = Checkpoint::parse(&whole[..length]).unwrap_err();
            let expected = matches!(error, WeightsError::Short { .. } | WeightsError::Length { .. });
            assert!(expected, "{length} bytes: {error}");
        }
    }

    #[test]
    fn the_tensors_must_be_those_of_the_graph() {
        let parameter = |name: &str| Parameter { name: name.into(), shape: vec![2], trainable: true };
        let checkpoint = Checkpoint::parse(&file("w", Dtype::F32, &[2], &[0; 8])).unwrap();
        assert_eq!(checkpoint.check(&[parameter("w")]), Ok(()));
        let text = checkpoint.check(&[parameter("w"), parameter("b")]).unwrap_err().to_string();
        assert_eq!(text, "the tensors do not fit the network: 1 missing (b)");
    }

    #[test]
    fn counters_of_batches_are_passed_over() {
        let counter = file("bn1.num_batches_tracked", Dtype::I64, &[], &[0; 8]);
        assert_eq!(Checkpoint::parse(&counter), Ok(Checkpoint::default()));
    }
}
