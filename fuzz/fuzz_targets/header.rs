//! Any text as the header of a file of any length, so that the fuzzer need not find out that the first eight
//! bytes say how long the header is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitlens::weights::Header;

fuzz_target!(|input: (u16, &[u8])| {
    let (values, json) = input;
    let start = [&(json.len() as u64).to_le_bytes(), json].concat();
    match Header::parse(&start, start.len() as u64 + u64::from(values)) {
        Ok(header) => {
            let counts = header.shapes().into_values().map(|shape| shape.iter().product::<usize>());
            assert!(2 * counts.sum::<usize>() <= usize::from(values));
        }
        Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
    }
});
