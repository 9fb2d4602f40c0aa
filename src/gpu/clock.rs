use super::buffer::Allocation;
use super::run::{encode, encode_copies};
use super::{Gpu, GpuError, Slice, Staging, Task};

/// Queries that a set may have on every WebGPU device.
const MAX_QUERIES: u32 = 4096;

/// The device's own clock, for runs in so many groups; what it takes is given back when dropped.
pub struct Clock {
    gpu: Gpu,
    /// The start and the end of each group.
    queries: wgpu::QuerySet,
    resolved: Allocation,
    staging: Staging,
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.queries.destroy();
    }
}

/// How long each group of one run took.
#[derive(Clone, Debug, PartialEq)]
pub struct Laps {
    /// One for each group; none where the clock went wrong: it stood still at zero, or ran backwards.
    pub nanoseconds: Vec<Option<f64>>,
    /// All readings are whole multiples of it: browsers round the clock, Chromium for example to 65536.
    pub step_ns: f64,
}

impl Laps {
    /// `stamps`: start and end of each group, in ticks of `period_ns` nanoseconds.
    fn new(stamps: &[[u64; 2]], period_ns: f64) -> Self {
        // A query that nothing was written to is zero.
        let lap = |&[start, end]: &[u64; 2]| {
            let is_sound = start > 0 && end >= start;
            is_sound.then(|| (end - start) as f64 * period_ns)
        };
        let readings = stamps.as_flattened();
        let step = readings.windows(2).fold(0, |step, pair| gcd(step, pair[0].abs_diff(pair[1])));
        Self { nanoseconds: stamps.iter().map(lap).collect(), step_ns: step as f64 * period_ns }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Gpu {
    /// A clock for runs of up to 2048 groups; none where the device has none to be read.
    pub async fn clock(&self, groups: usize) -> Result<Option<Clock>, GpuError> {
        if !self.adapter().timestamps {
            return Ok(None);
        }
        let count = 2 * groups as u32;
        assert!(count <= MAX_QUERIES, "a clock for {groups} groups");
        let create = || {
            let queries = self.0.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count,
            });
            let bytes = u64::from(count * wgpu::QUERY_SIZE);
            let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
            let resolved = self.allocate("clock", bytes, usage);
            let staging = self.staging(bytes as usize / size_of::<f32>());
            Clock { gpu: self.clone(), queries, resolved, staging }
        };
        self.checked(create).await.map(Some)
    }
}

impl Clock {
    /// As [`Gpu::run`], with a pass for each group of tasks, whose time it takes.
    pub async fn run(
        &self,
        groups: &[&[Task]],
        copies: &[Slice<'_>],
        staging: &Staging,
    ) -> Result<(Vec<f32>, Laps), GpuError> {
        self.gpu.health()?;
        let mut encoder = self.gpu.encoder();
        for (query, tasks) in (0..).step_by(2).zip(groups) {
            let timestamp_writes = wgpu::ComputePassTimestampWrites {
                query_set: &self.queries,
                beginning_of_pass_write_index: Some(query),
                end_of_pass_write_index: Some(query + 1),
            };
            encode(&mut encoder, *tasks, Some(timestamp_writes));
        }
        let (resolved, bytes) = (&self.resolved.buffer, self.staging.bytes());
        encoder.resolve_query_set(&self.queries, 0..2 * groups.len() as u32, resolved, 0);
        encoder.copy_buffer_to_buffer(resolved, 0, &self.staging.0.buffer, 0, bytes);
        let copied = encode_copies(&mut encoder, copies, staging);
        let queue = &self.gpu.0.queue;
        queue.submit([encoder.finish()]);
        self.gpu.map(staging, copied).await?;
        let values = self.gpu.take(staging, copied)?;
        self.gpu.map(&self.staging, bytes).await?;
        let stamps: Vec<[u64; 2]> = self.gpu.take(&self.staging, bytes)?;
        Ok((values, Laps::new(&stamps[..groups.len()], queue.get_timestamp_period().into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_are_in_nanoseconds() {
        let laps = Laps::new(&[[10, 14], [14, 14], [15, 20]], 2.5);
        assert_eq!(laps.nanoseconds, [Some(10.0), Some(0.0), Some(12.5)]);
        assert_eq!(laps.step_ns, 2.5);
    }

    #[test]
    fn a_rounded_clock_is_known_by_its_step() {
        let rounded = |ticks: u64| ticks & !0xffff;
        let laps = Laps::new(
            &[[1_000_000, 1_170_000], [1_171_000, 1_900_000], [1_901_000, 1_902_000]].map(|lap| lap.map(rounded)),
            1.0,
        );
        assert_eq!(laps.step_ns, 65536.0);
        assert_eq!(laps.nanoseconds[2], Some(0.0));
    }

    #[test]
    fn a_clock_that_goes_wrong_is_not_believed() {
        let laps = Laps::new(&[[0, 0], [0, 90], [100, 90], [100, 0], [100, 130]], 1.0);
        assert_eq!(laps.nanoseconds, [None, None, None, None, Some(30.0)]);
    }
}
