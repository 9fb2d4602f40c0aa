use super::table::aligned;
use crate::arch::Variant;
use crate::engine::{EngineError, Network, Part, Timings, gigaflops};
use crate::graph::Tensor;

/// Times the parts of a network by the device's clock and returns their table, or the reason why there is none.
pub async fn table(variant: &Variant, network: &Network, image: &Tensor, runs: u32) -> Result<String, EngineError> {
    let Some(clock) = network.clock().await? else {
        return Ok(format!("{}: the adapter has no timestamps, so the time of blocks is not known\n", variant.id));
    };
    let mut timings = Timings::default();
    for _ in 0..runs {
        timings.push(network.run_timed(image, &clock).await?.1);
    }
    let name = format!("{} at {}", variant.id, image.shape.width);
    let header = [&*name, "time", "GFLOP/s", "starts"].map(String::from);
    let parts = network.parts();
    let rows = parts.iter().enumerate().map(|(position, part)| row(part, timings.milliseconds(position)));
    let rows: Vec<[String; 4]> = [header].into_iter().chain(rows).collect();
    Ok(aligned(&rows, 1))
}

fn row(part: &Part, milliseconds: Option<f64>) -> [String; 4] {
    let time = milliseconds.map_or("clock wrong".into(), |time| format!("{time:.3} ms"));
    let rate = milliseconds.and_then(|time| gigaflops(part.macs, time));
    let rate = rate.map_or("-".into(), |rate| format!("{rate:.1}"));
    [part.name.clone(), time, rate, part.dispatches.len().to_string()]
}
