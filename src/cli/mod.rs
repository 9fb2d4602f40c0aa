//! Knows the command line: arguments and files in, files and a few lines of text out. A thin shell over
//! the engine; owns no maths.

mod bench;
mod blocks;
mod choice;
mod error;
mod eval;
mod heatmaps;
mod input;
mod model;
mod networks;
mod peak;
mod peer;
mod report;
mod run;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs convolutional networks from ResNet to RegNet on an image and shows where the attention goes.
#[derive(Parser)]
#[command(name = "splitlens", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a network on an image and write what it saw
    Run(run::Arguments),
    /// Count how often a network is right about a folder of images
    Eval(eval::Arguments),
    /// Time networks on this machine's adapter
    Bench(bench::Arguments),
    /// List the networks with their size and cost
    Networks,
}

/// Reads the program's arguments and does what they say. Exit code 1 after an error, which is told in one
/// line on the standard error; 2 for arguments that make no sense.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Networks => Ok(networks::table()),
    };
    match result {
        Ok(text) => {
            match io::stdout().write_all(text.as_bytes()) {
                // Whoever reads may have read enough and closed the pipe: that is no failure.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    eprintln!("splitlens: cannot write to the standard output: {error}");
                    ExitCode::FAILURE
                }
                _ => ExitCode::SUCCESS,
            }
        }
        Err(error) => {
            eprintln!("splitlens: {error}");
            ExitCode::FAILURE
        }
    }
}
