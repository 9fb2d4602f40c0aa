//! Takes comments and indents out of the shaders, which the page need not carry. Line breaks stay, so that the lines of
//! a compiler's messages are the files'. And names the state of the kernels, for what was measured with them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shaders");
    let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("shaders");
    strip(Path::new("shaders"), &to)?;
    println!("cargo::rerun-if-changed=src/kernels");
    let mut state = DefaultHasher::new();
    digest(&to, &mut state)?;
    digest(Path::new("src/kernels"), &mut state)?;
    println!("cargo::rustc-env=SPLITLENS_KERNELS={:016x}", state.finish());
    Ok(())
}

/// Adds all files of a folder, in the order of their names.
fn digest(folder: &Path, state: &mut DefaultHasher) -> io::Result<()> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => digest(&path, state)?,
            false => fs::read(&path)?.hash(state),
        }
    }
    Ok(())
}

fn strip(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            strip(&path, &target)?;
        } else {
            // WGSL has no strings that two slashes could be part of.
            let code = |line: &str| line.split("//").next().unwrap_or_default().trim().to_string() + "\n";
            fs::write(target, fs::read_to_string(&path)?.lines().map(code).collect::<String>())?;
        }
    }
    Ok(())
}
