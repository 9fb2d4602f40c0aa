//! Files that are not what they should be: whatever comes in, the readers of checkpoints and of the catalogue give
//! an answer or a sentence, and take no more memory than the file's size warrants. `fuzz/` looks further.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use serde_json::json;
use splitlens::arch::{Recognition, recognise};
use splitlens::weights::{Catalogue, Checkpoint, Header, WeightsError};

/// The system's allocator, which keeps account for each thread.
struct Counting;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it is; the counters own nothing and allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        PEAK.set(PEAK.get().max(LIVE.get()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most bytes that `work` held at a time, and what it made.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    LIVE.set(0);
    PEAK.set(0);
    let made = work();
    (PEAK.get(), made)
}

/// Bytes held for a byte of file, twice what was measured: a tensor without values takes 50 bytes in the file, and
/// seven times that as name, shape and place in lists that grow.
const PER_BYTE: usize = 16;

/// Reads a file as a checkpoint; its memory and the length of its sentence must be within bounds.
fn read(file: &[u8]) -> Result<Checkpoint, WeightsError> {
    let (held, read) = peak(|| Checkpoint::parse(file));
    assert!(held <= PER_BYTE * file.len() + 4096, "{held} bytes for {}", file.len());
    if let Err(error) = &read {
        let text = error.to_string();
        assert!((20..1000).contains(&text.len()), "{} bytes: {text:.200}", text.len());
    }
    read
}

fn file(header: &str, values: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), values].concat()
}

/// A whole file of f32 tensors, one after the other.
fn whole(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let (mut header, mut end) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors {
        let begin = end;
        end += 4 * shape.iter().product::<usize>();
        header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}));
    }
    file(&serde_json::to_string(&header).unwrap(), &vec![0; end])
}

fn tensors() -> impl Strategy<Value = Vec<(String, Vec<usize>)>> {
    prop::collection::btree_map("[a-z0-9_.]{1,12}", prop::collection::vec(0..5usize, 0..4), 0..6)
        .prop_map(|tensors| tensors.into_iter().collect())
}

/// One tensor of a header: mostly plausible, with everything that can be wrong.
fn tensor() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        6 => "[a-d]",
        1 => "[a-d]\\.num_batches_tracked",
        1 => Just("__metadata__".into()),
        1 => Just("trunk_output.block1.".into()),
    ];
    let dtype = prop_oneof![8 => Just("F32"), 2 => Just("F16"), 1 => Just("BF16"), 1 => Just("I64"), 1 => Just("F4")];
    let extent = prop_oneof![16 => 0..3u64, 1 => Just(u64::MAX), 1 => Just(1 << 32)];
    let shape = prop::collection::vec(extent, 0..3);
    let begin = prop_oneof![8 => (0..3u64).prop_map(|n| 4 * n), 1 => any::<u64>()];
    (name, dtype, shape, begin, prop::option::weighted(0.2, any::<u64>())).prop_map(
        |(name, dtype, shape, begin, end)| {
            let width = if dtype == "F32" { 4 } else { 2 };
            let bytes = shape.iter().fold(width, |bytes: u64, extent| bytes.wrapping_mul(*extent));
            let end = end.unwrap_or(begin.wrapping_add(bytes));
            (name, json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}).to_string())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_whole_file_is_read(tensors in tensors()) {
        let file = whole(&tensors);
        let checkpoint = read(&file).unwrap();
        prop_assert_eq!(checkpoint.shapes().into_iter().collect::<Vec<_>>(), tensors.clone());
        for (name, shape) in tensors {
            prop_assert_eq!(checkpoint.values(&name).len(), shape.iter().product::<usize>());
        }
    }

    #[test]
    fn a_file_that_was_cut_or_has_more_is_refused(tensors in tensors(), cut in any::<prop::sample::Index>(), more in 1..9usize) {
        let file = whole(&tensors);
        let expected = |error| matches!(error, Err(WeightsError::Short { .. } | WeightsError::Length { .. }));
        prop_assert!(expected(read(&file[..cut.index(file.len())])));
        prop_assert!(expected(read(&[file, vec![0; more]].concat())));
    }

    #[test]
    fn a_changed_byte_is_read_or_refused(tensors in tensors(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut file = whole(&tensors);
        let at = at.index(file.len());
        file[at] = byte;
        let _ = read(&file);
    }

    #[test]
    fn a_header_of_odd_tensors_is_read_or_refused(list in prop::collection::vec(tensor(), 0..4), words in 0..5usize) {
        let values = 4 * words;
        let tensors: Vec<String> = list.iter().map(|(name, tensor)| format!("\"{name}\": {tensor}")).collect();
        let file = file(&format!("{{{}}}", tensors.join(", ")), &vec![0; values]);
        if let Ok(checkpoint) = read(&file) {
            // What was read lies side by side in what there was.
            let shapes = checkpoint.shapes();
            let bytes: usize = shapes.values().map(|shape| shape.iter().product::<usize>()).sum();
            prop_assert!(2 * bytes <= values, "{shapes:?} of {values} bytes");
        }
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&noise).is_err());
        prop_assert!(read(&file(&String::from_utf8_lossy(&noise), &[])).is_err());
    }

    #[test]
    fn a_changed_catalogue_is_read_or_refused(at in any::<prop::sample::Index>(), text in "[\\x20-\\x7e]{0,3}", drop in 0..3usize) {
        let mut json = CATALOGUE.to_string();
        let at = at.index(json.len() - 3);
        json.replace_range(at..at + drop, &text);
        match Catalogue::parse(&json) {
            Ok(catalogue) => prop_assert!(catalogue.entries.iter().all(|entry| entry.card.check().is_ok() && entry.bytes > 0)),
            Err(error) => prop_assert!(error.to_string().starts_with("the catalogue")),
        }
    }
}

const CATALOGUE: &str = r#"{"entries": [{"name": "resnet18", "tag": "a1_in1k", "repository": "timm/resnet18.a1_in1k",
    "revision": "main", "file": "model.safetensors", "bytes": 46807480, "top1": 0.71504, "licence": "apache-2.0",
    "input": [3, 224, 224], "crop_fraction": 0.95, "filter": "bicubic", "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225], "classes": "imagenet.txt"}]}"#;

/// What takes most memory: headers of a megabyte full of what is small in the file and large when read.
#[test]
fn large_headers_take_memory_by_their_size() {
    let many = |text: &dyn Fn(usize) -> String, count| (0..count).map(text).collect::<Vec<_>>().join(",");
    let empty = |n: usize| format!("\"{n}\":{{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let tensors = format!("{{{}}}", many(&empty, 20_000));
    assert_eq!(read(&file(&tensors, &[])).unwrap().shapes().len(), 20_000);
    let zeros = many(&|_| "0".into(), 500_000);
    let dimensions = format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{zeros}],\"data_offsets\":[0,0]}}}}");
    let long = "w".repeat(1_000_000);
    let name = format!("{{\"{long}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}}}");
    let dtype = format!("{{\"w\":{{\"dtype\":\"{long}\",\"shape\":[0],\"data_offsets\":[0,0]}}}}");
    let nested = "[".repeat(1_000_000);
    for header in [dimensions, name, dtype, nested, format!("{{\"w\":\"{long}\"}}"), format!("\"{long}\"")] {
        read(&file(&header, &[])).unwrap_err();
    }
}

/// A list for the nearest network only, not for every one.
#[test]
fn names_of_no_network_take_memory_once() {
    let shapes = (0..100_000).map(|n| (format!("{n}"), vec![])).collect();
    let (own, _) = peak(|| recognise(&Default::default()));
    let (held, recognition) = peak(|| recognise(&shapes));
    let Recognition::Nearest { mismatch, .. } = recognition else { panic!("{recognition:?}") };
    assert_eq!(mismatch.unexpected.len(), 100_000);
    // For each name, twice what was measured: itself, and its place in the list and in the map before that.
    assert!(held <= own + 70 * 100_000, "{held} bytes, of which {own} for the networks");
}

/// A length that lies asks for nothing: it is held against the file first.
#[test]
fn a_false_length_takes_no_memory() {
    for length in [9, 24_999_999, 25_000_001, u64::MAX] {
        let start = length.to_le_bytes();
        let (held, header) = peak(|| Header::parse(&start, 8));
        header.unwrap_err();
        assert_eq!(held, 0);
    }
}
