//! The walls of the house: which room may import which, and who alone may know wgpu or the browser.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms that it may import: the table of the crate's documentation.
const ROOMS: &[(&str, &[&str])] = &[
    ("graph", &["order"]),
    ("arch", &["graph", "order"]),
    ("reference", &["graph"]),
    ("weights", &["graph", "vision", "order"]),
    ("reading", &["graph"]),
    ("kernels", &["graph"]),
    ("gpu", &["kernels"]),
    ("engine", &["graph", "kernels", "gpu", "weights", "reading"]),
    ("vision", &["graph", "reading", "order"]),
    ("order", &[]),
];

/// Crates that only one room may name.
const OWNED: &[(&str, &str)] = &[("wgpu", "gpu"), ("web_sys", "app"), ("leptos", "app"), ("clap", "cli")];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Rooms that a source names in its code (not in its comments).
fn named_rooms(text: &str) -> Vec<String> {
    let code = code(text);
    let rooms = code.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => names(list.split_once(';').map_or(list, |(list, _)| list)),
        None => vec![first_word(rest)],
    });
    rooms.filter(|room| !room.is_empty()).collect()
}

/// The first word of each path in a list of imports; lists inside it are passed over.
fn names(list: &str) -> Vec<String> {
    let mut depth = 0;
    let own: String = list
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        })
        .collect();
    own.split(',').map(str::trim).map(first_word).collect()
}

/// The text without its comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_string() + "\n").collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    for (room, allowed) in ROOMS {
        let folder = source_folder().join(room);
        let files = if folder.is_dir() { sources(&folder) } else { vec![folder.with_extension("rs")] };
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            for named in named_rooms(&text) {
                assert!(named == *room || allowed.contains(&named.as_str()), "{}: {named}", path.display());
            }
            // Tests are a module deeper.
            let own = code(&text).split("#[cfg(test)]").next().unwrap().to_string();
            assert!(!own.contains("super::super::"), "{} leaves its room upwards", path.display());
        }
    }
}

#[test]
fn every_room_is_in_the_table() {
    for entry in fs::read_dir(source_folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_stem().unwrap().to_str().unwrap().to_string();
        let known = ROOMS.iter().any(|(room, _)| *room == name) || ["app", "cli", "lib", "main"].contains(&&*name);
        assert!(known, "{name}");
    }
}

#[test]
fn some_crates_have_one_home() {
    for path in sources(&source_folder()) {
        let inside = path.strip_prefix(source_folder()).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap();
        let code = code(&fs::read_to_string(&path).unwrap());
        for (name, home) in OWNED {
            assert!(room == *home || !code.contains(&format!("{name}::")), "{}: {name}", inside.display());
        }
    }
}

#[test]
fn a_wall_would_be_seen_to_fall() {
    assert_eq!(
        named_rooms("use crate::{gpu::Gpu, graph};\nlet x = crate::app::start();\n// crate::cli"),
        ["gpu", "graph", "app"]
    );
    assert_eq!(
        named_rooms(
            "use crate::{\n    gpu::{Gpu, GpuError},\n    engine,\n};\nuse crate::reading::Reading;\nlet {a, b} = c;"
        ),
        ["gpu", "engine", "reading"]
    );
}
