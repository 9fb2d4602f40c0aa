use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::WeightsError;
use super::rename::timm_names;
use crate::graph::Shapes;
use crate::order;

/// Bytes at a file's start that hold the header's length, little-endian.
const PREFIX: u64 = 8;
/// The longest header that is read, as hf.js has it; the largest network of the table needs 0.2 MB.
const MAX_HEADER: u64 = 25_000_000;
/// Longest name in bytes and most dimensions: above what any network has, and short enough for a sentence.
const MAX_NAME: usize = 256;
const MAX_RANK: usize = 8;
/// Characters that are repeated of what the file says.
const MAX_QUOTE: usize = 200;

/// How a tensor's values are stored, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    F32,
    F16,
    Bf16,
}

/// What the header says of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Info {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// In bytes of the file.
    pub place: Range<u64>,
}

/// What a safetensors file says of itself in front of its values: names, types, shapes and places.
///
/// The file is 8 bytes of length, a JSON object of that length, and the values without gap or overlap
/// (github.com/huggingface/safetensors, "Format"). PyTorch's integer counters `num_batches_tracked` are passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub(super) tensors: BTreeMap<String, Info>,
}

impl Header {
    /// How many of a file's bytes its header needs, told by its first 8.
    pub fn extent(start: &[u8], file_bytes: u64) -> Result<u64, WeightsError> {
        let length = start.first_chunk().ok_or(WeightsError::Short { bytes: start.len() as u64 })?;
        match u64::from_le_bytes(*length) {
            bytes if bytes > MAX_HEADER => Err(WeightsError::LongHeader { bytes, limit: MAX_HEADER }),
            bytes if PREFIX + bytes > file_bytes => Err(WeightsError::Length { expected: PREFIX + bytes, file_bytes }),
            bytes => Ok(PREFIX + bytes),
        }
    }

    /// Reads the header of a file of `file_bytes` from its first [`extent`](Self::extent) bytes or more. Names of
    /// torchvision's that timm has otherwise become timm's.
    pub fn parse(start: &[u8], file_bytes: u64) -> Result<Self, WeightsError> {
        let first = Self::extent(start, file_bytes)?;
        let json = start.get(PREFIX as usize..first as usize);
        let json = json.ok_or(WeightsError::Length { expected: first, file_bytes: start.len() as u64 })?;
        let listed: Listed =
            serde_json::from_slice(json).map_err(|error| WeightsError::Header(quote(&error.to_string())))?;
        let (mut tensors, mut places) = (BTreeMap::new(), BTreeMap::new());
        for (name, raw) in listed.0 {
            let [begin, end] = raw.place(&name)?;
            if !is_counter(&name) {
                let place = first.saturating_add(begin)..first.saturating_add(end);
                tensors.insert(name.clone(), Info { dtype: raw.dtype(&name)?, shape: raw.shape(&name)?, place });
            }
            if places.insert(name.clone(), (begin, end)).is_some() {
                return Err(WeightsError::Twice { name });
            }
        }
        let values = check_places(places)?;
        match first.saturating_add(values) {
            expected if expected == file_bytes => Ok(Self { tensors: timm_names(tensors) }),
            expected => Err(WeightsError::Length { expected, file_bytes }),
        }
    }

    /// Name and shape of every tensor.
    pub fn shapes(&self) -> Shapes {
        self.tensors.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect()
    }
}

/// Whether tensors lie one behind the other; the bytes that they take together.
fn check_places(places: BTreeMap<String, (u64, u64)>) -> Result<u64, WeightsError> {
    let places: Vec<(String, (u64, u64))> = places.into_iter().collect();
    let places = order::sorted(places, |(_, one), (_, other)| one.cmp(other));
    let mut expected = 0;
    for (name, (begin, end)) in places {
        if begin != expected {
            return Err(WeightsError::Place { name, expected, found: begin });
        }
        expected = end;
    }
    Ok(expected)
}

/// The beginning of a text that the file may have made as long as itself.
fn quote(text: &str) -> String {
    text.chars().take(MAX_QUOTE).collect()
}

fn is_counter(name: &str) -> bool {
    name.ends_with(".num_batches_tracked")
}

/// A tensor as the header has it.
#[derive(serde::Deserialize)]
struct Raw {
    dtype: String,
    shape: Vec<u64>,
    /// In bytes from the first value on.
    data_offsets: [u64; 2],
}

impl Raw {
    fn dtype(&self, name: &str) -> Result<Dtype, WeightsError> {
        match self.dtype.as_str() {
            "F32" => Ok(Dtype::F32),
            "F16" => Ok(Dtype::F16),
            "BF16" => Ok(Dtype::Bf16),
            found => Err(WeightsError::Dtype { name: name.into(), found: quote(found) }),
        }
    }

    fn shape(&self, name: &str) -> Result<Vec<usize>, WeightsError> {
        let shape: Result<Vec<usize>, _> = self.shape.iter().map(|extent| usize::try_from(*extent)).collect();
        shape.map_err(|_| self.overflow(name))
    }

    /// The offsets, if as many values of this type fit exactly between them.
    fn place(&self, name: &str) -> Result<[u64; 2], WeightsError> {
        let width = match is_counter(name) && self.dtype == "I64" {
            true => 8,
            false => self.dtype(name)?.bytes(),
        };
        let bytes = self.shape.iter().try_fold(width, |bytes: u64, extent| bytes.checked_mul(*extent));
        let expected = bytes.ok_or_else(|| self.overflow(name))?;
        let [begin, end] = self.data_offsets;
        match end.checked_sub(begin) {
            Some(found) if found == expected => Ok([begin, end]),
            _ => Err(WeightsError::Size { name: name.into(), expected, begin, end }),
        }
    }

    fn overflow(&self, name: &str) -> WeightsError {
        WeightsError::Overflow { name: name.into(), shape: self.shape.clone() }
    }
}

impl Dtype {
    fn bytes(self) -> u64 {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
        }
    }
}

/// The header's object as a list, so that a name that stands twice is seen.
struct Listed(Vec<(String, Raw)>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Listed;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
                let mut tensors = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let raw: Raw = map.next_value()?;
                    if name.len() > MAX_NAME {
                        let bytes = name.len();
                        return Err(A::Error::custom(format!(
                            "a name of {bytes} bytes, but at most {MAX_NAME} are read"
                        )));
                    }
                    if raw.shape.len() > MAX_RANK {
                        let rank = raw.shape.len();
                        return Err(A::Error::custom(format!(
                            "`{name}` has {rank} dimensions, but at most {MAX_RANK} are read"
                        )));
                    }
                    tensors.push((name, raw));
                }
                Ok(Listed(tensors))
            }
        }
        deserializer.deserialize_map(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str, values: usize) -> Result<Header, WeightsError> {
        let file = [&(json.len() as u64).to_le_bytes(), json.as_bytes(), &vec![0; values]].concat();
        Header::parse(&file, file.len() as u64)
    }

    /// A tensor `name` of two f32 from byte `begin` on.
    fn pair(name: &str, begin: u64) -> String {
        format!(r#""{name}": {{"dtype": "F32", "shape": [2], "data_offsets": [{begin}, {}]}}"#, begin + 8)
    }

    #[test]
    fn reads_names_and_shapes_without_the_values() {
        let json = format!(r#"{{"__metadata__": {{"format": "pt"}}, {}, {}}}  "#, pair("b", 8), pair("a", 0));
        let start = [&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat();
        let file_bytes = start.len() as u64 + 16;
        assert_eq!(Header::extent(&start[..8], file_bytes), Ok(start.len() as u64));
        let header = Header::parse(&start, file_bytes).unwrap();
        assert_eq!(header.shapes(), Shapes::from([("a".into(), vec![2]), ("b".into(), vec![2])]));
        assert_eq!(header.tensors["b"].place, file_bytes - 8..file_bytes);
    }

    #[test]
    fn every_fault_has_its_sentence() {
        let tensor = |dtype: &str, shape: &str, offsets: &str| {
            format!(r#"{{"w": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}"#)
        };
        let two = |first: u64, second: u64| format!("{{{}, {}}}", pair("v", first), pair("w", second));
        let cases = [
            ("[]".into(), 0, "not that of a safetensors file: invalid type: sequence, expected an object of tensors"),
            ("{\"w\": {}}".into(), 0, "missing field `dtype`"),
            (tensor("F32", "[1]", "[0, 4]").replace('w', &"w".repeat(300)), 4, "a name of 300 bytes, but at most 256"),
            (tensor("F32", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "[0, 4]"), 4, "`w` has 9 dimensions, but at most 8"),
            (tensor("F64", "[1]", "[0, 8]"), 8, "tensor `w` is stored as F64"),
            (tensor("F32", "[-2]", "[0, 8]"), 8, "invalid value: integer `-2`"),
            (tensor("F32", "[4294967296, 4294967296]", "[0, 8]"), 8, "more values than can be counted"),
            (tensor("F32", "[2]", "[0, 7]"), 7, "tensor `w` needs 8 bytes, but its place is from byte 0 to 7"),
            (tensor("F32", "[2]", "[8, 0]"), 8, "tensor `w` needs 8 bytes, but its place is from byte 8 to 0"),
            (tensor("F32", "[2]", "[0, 8]"), 7, "but its header speaks of"),
            (tensor("F32", "[2]", "[0, 8]"), 9, "but its header speaks of"),
            (two(0, 4), 12, "tensor `w` starts at byte 4 of the values, but the one before it ends at 8"),
            (two(0, 12), 20, "tensor `w` starts at byte 12 of the values, but the one before it ends at 8"),
            (two(0, 8).replace('v', "w"), 16, "tensor `w` stands in the header twice"),
        ];
        for (json, values, expected) in cases {
            let text = parse(&json, values).unwrap_err().to_string();
            assert!(text.contains(expected), "{text} for {json}");
        }
    }

    #[test]
    fn tells_a_false_length_before_it_reads_on() {
        let start = |length: u64| length.to_le_bytes();
        assert_eq!(Header::extent(&[0; 7], 7), Err(WeightsError::Short { bytes: 7 }));
        let long = Header::extent(&start(MAX_HEADER + 1), u64::MAX).unwrap_err().to_string();
        assert!(long.contains("25000001 bytes, but at most 25000000 are read"), "{long}");
        let ends = WeightsError::Length { expected: 12, file_bytes: 11 };
        assert_eq!(Header::parse(&start(4), 11), Err(ends));
        assert!(matches!(Header::parse(&start(u64::MAX), 8), Err(WeightsError::LongHeader { .. })));
    }

    #[test]
    fn tensors_without_values_and_counters_are_let_be() {
        let empty = r#"{"e": {"dtype": "F32", "shape": [0, 9], "data_offsets": [8, 8]},
            "n.num_batches_tracked": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}"#;
        assert_eq!(parse(empty, 8).unwrap().shapes(), Shapes::from([("e".into(), vec![0, 9])]));
        assert_eq!(parse("{}", 0).unwrap().shapes(), Shapes::new());
    }
}
