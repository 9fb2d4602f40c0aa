use std::time::Instant;

use crate::gpu::{Bound, Buffer, Gpu, GpuError, Staging, Task, Uniforms};
use crate::kernels::{Dispatch, Kernel};

/// Multiply-adds of an invocation in a step of its loop: with fewer, the loop is what is measured.
const UNROLLED: u32 = 512;
/// Invocations of a workgroup, as the shader has it.
const WORKGROUP: u32 = 64;
const WORKGROUPS: u32 = 1024;
/// Seconds that a start should take at least.
const SECONDS: f64 = 0.06;
/// Starts of that length, of which the fastest counts: the others were interrupted.
const STARTS: usize = 3;
/// `a` and `b` of `s * a + b`: with `a` below one, sums stay bounded.
const FACTORS: [f32; 8] = [0.5, 0.25, -0.5, 0.75, 1.0, 2.0, 3.0, 4.0];

const HEAD: &str = "
struct Params { steps: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>;
@compute @workgroup_size(64)
fn peak(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = factors[0];
    let b = factors[1];
    let x = vec4<f32>(f32(id.x));
    var s0 = x;
    var s1 = x + 1.0;
    var s2 = x + 2.0;
    var s3 = x + 3.0;
    for (var step = 0u; step < params.steps; step++) {";
/// 64 multiply-adds, of four sums in turn: none waits for the one before it. On SwiftShader four sums were faster than
/// one or two, and `fma` than a product and a sum.
const SIXTY_FOUR: &str = "
        s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
        s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
        s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);
        s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b); s3 = fma(s3, a, b);";
const TAIL: &str = "
    }
    result[id.x] = s0 + s1 + s2 + s3;
}";

const KERNEL: Kernel = Kernel {
    name: "peak",
    source: &[
        HEAD, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, TAIL,
    ],
    params: &["steps"],
    inputs: 1,
    workgroup: WORKGROUP,
    team: 1,
    sampled: false,
};

/// Measures the most that an adapter does of what a network is made of: multiply-adds in f32, with nothing around
/// them.
pub struct Peak {
    gpu: Gpu,
    factors: Buffer,
    result: Buffer,
    staging: Staging,
    steps: u32,
}

impl Peak {
    /// On a device of its own, whose pipelines are no network's.
    pub async fn new() -> Result<Self, GpuError> {
        let gpu = Gpu::open().await?;
        gpu.compile(&dispatch(1)).await?;
        let factors = gpu.upload("factors", &FACTORS);
        let result = gpu.storage("sums", (4 * WORKGROUP * WORKGROUPS) as usize);
        let staging = gpu.staging(1);
        let mut peak = Self { gpu, factors, result, staging, steps: 1 };
        // The first start also makes what drivers put off until then.
        peak.start().await?;
        while peak.start().await? < SECONDS {
            peak.steps *= 2;
        }
        Ok(peak)
    }

    /// Billions of operations in a second at the moment, two for each multiply-add.
    pub async fn gigaflops(&self) -> Result<f64, GpuError> {
        let mut seconds = f64::INFINITY;
        for _ in 0..STARTS {
            seconds = seconds.min(self.start().await?);
        }
        let invocations = f64::from(WORKGROUP) * f64::from(WORKGROUPS);
        Ok(2.0 * f64::from(UNROLLED) * f64::from(self.steps) * invocations / seconds / 1e9)
    }

    /// Seconds of a start, with the way to the device and back.
    async fn start(&self) -> Result<f64, GpuError> {
        let dispatch = dispatch(self.steps);
        let params: Uniforms = self.gpu.uniforms([&*dispatch.params]);
        let task: Task =
            self.gpu.bind(&dispatch, &params, 0, &[self.factors.whole(), self.result.whole()].map(Bound::from));
        let started = Instant::now();
        self.gpu.run([&task], &[self.result.slice(0, 1)], &self.staging).await?;
        Ok(started.elapsed().as_secs_f64())
    }
}

fn dispatch(steps: u32) -> Dispatch {
    let params = steps.to_le_bytes().to_vec();
    Dispatch { kernel: &KERNEL, overrides: Vec::new(), params, workgroups: WORKGROUPS }
}
