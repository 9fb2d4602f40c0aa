//! Any bytes as a file of weights. What is read must lie in the file, and every value must be finite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitlens::weights::Checkpoint;

fuzz_target!(|file: &[u8]| {
    let checkpoint = match Checkpoint::parse(file) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return assert!(error.to_string().len() < 1000, "{error}"),
    };
    let mut bytes = 0;
    for (name, shape) in checkpoint.shapes() {
        let values = checkpoint.values(&name);
        assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
        assert!(values.iter().all(|value| value.is_finite()), "{name}");
        bytes += 2 * values.len();
    }
    assert!(bytes <= file.len());
});
