//! The program: the page in a browser, the command everywhere else.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    splitlens::cli::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {
    splitlens::app::start();
}
