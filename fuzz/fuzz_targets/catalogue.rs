//! Any text as a catalogue. What is read must make addresses under the hub.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitlens::weights::{Catalogue, DEFAULT_HUB};

fuzz_target!(|json: &str| {
    let Ok(catalogue) = Catalogue::parse(json) else { return };
    for entry in catalogue.entries {
        let address = entry.address(DEFAULT_HUB, &entry.revision);
        assert!(!address.contains("/../") && !address.contains(['?', '#', ' ']), "{address}");
        entry.card.check().unwrap();
    }
});
