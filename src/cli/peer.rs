use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::CliError;

/// Beside this crate's source, which is where the benchmark is run.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/peer.py");

/// One of timm's networks in a process of PyTorch, which runs whenever it is told to: bench/peer.py.
pub struct Peer {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// What it runs on.
    pub device: String,
}

#[derive(Deserialize)]
struct Ready {
    device: String,
}

/// One run of the peer.
#[derive(Deserialize)]
pub struct Run {
    pub milliseconds: f64,
    pub logits: Vec<f32>,
}

impl Peer {
    /// Starts the network `id` on images of `side` pixels, with the weights and the image of the golden tests.
    pub fn start(python: &Path, id: &str, side: usize) -> Result<Self, CliError> {
        let mut process = Command::new(python)
            .args(["-W", "ignore", SCRIPT, id, &side.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| CliError::Peer(why.to_string()))?;
        let (orders, answers) = (process.stdin.take(), process.stdout.take());
        let (Some(orders), Some(answers)) = (orders, answers) else {
            return Err(CliError::Peer("it has no pipes".into()));
        };
        let mut peer = Self { process, orders, answers: BufReader::new(answers), device: String::new() };
        peer.device = peer.answer::<Ready>()?.device;
        Ok(peer)
    }

    pub fn run(&mut self) -> Result<Run, CliError> {
        self.orders.write_all(b"run\n").map_err(|why| CliError::Peer(why.to_string()))?;
        self.answer()
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, CliError> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(|why| CliError::Peer(why.to_string()))?;
        match line.is_empty() {
            // Its own words are on the terminal above.
            true => Err(CliError::Peer("it ended".into())),
            false => serde_json::from_str(&line).map_err(|_| CliError::Peer(format!("it said {}", line.trim()))),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may be gone already, and nothing is lost with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
