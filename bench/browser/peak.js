// The most that the adapter does of what a network is made of: multiply-adds, with nothing around them.

const WORKGROUP = 64;
const WORKGROUPS = 256;
/** Multiply-adds of four values each in the body of the loop: less, and the loop is what is measured. */
const UNROLLED = 128;
/** Candidates: how a multiply-add is written, and how many independent sums the body works on in turn. More hide the
 * latency, until registers run out. `|a| < 1` keeps the sums bounded. */
const FORMS = { fma: (sum) => `fma(${sum}, a, b)`, 'multiply, add': (sum) => `${sum} * a + b` };
const SUMS = [2, 4, 8];
const CANDIDATES = Object.keys(FORMS).flatMap((form) => SUMS.map((sums) => ({ form, sums })));
/** Starts of a candidate, each of at least so long, of which the fastest counts: the others were interrupted. */
const STARTS = 3;
const ENOUGH_MS = 60;

function source({ form, sums }) {
  const name = (index) => `s${index % sums}`;
  const each = (count, line) => Array.from({ length: count }, (_, index) => line(name(index), index)).join('\n');
  return `
    struct Params { a: vec4f, b: vec4f, steps: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
    @compute @workgroup_size(${WORKGROUP})
    fn peak(@builtin(global_invocation_id) id: vec3u) {
      let a = params.a;
      let b = params.b;
      ${each(sums, (sum, index) => `var ${sum} = vec4f(f32(id.x + ${index}u));`)}
      for (var step = 0u; step < params.steps; step++) {
        ${each(UNROLLED, (sum) => `${sum} = ${FORMS[form](sum)};`)}
      }
      result[id.x] = ${Array.from({ length: sums }, (_, index) => name(index)).join(' + ')};
    }`;
}

/** Device and pipelines, once there are any. */
let prepared;

async function prepare() {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  const device = await adapter.requestDevice();
  // A runtime's crash takes every page's device with it.
  device.lost.then(() => (prepared = undefined));
  const { vendor, architecture, description } = adapter.info;
  const params = device.createBuffer({ size: 48, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const result = device.createBuffer({ size: WORKGROUP * WORKGROUPS * 16, usage: GPUBufferUsage.STORAGE });
  const pipelines = CANDIDATES.map((candidate) => {
    const module = device.createShaderModule({ code: source(candidate) });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    const resources = [params, result].map((buffer, binding) => ({ binding, resource: { buffer } }));
    return [pipeline, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: resources })];
  });
  return { device, params, pipelines, adapter: [vendor, architecture, description].filter(Boolean).join(' ') };
}

/** Milliseconds of one start with so many steps of the loop. */
async function start({ device, params }, [pipeline, group], steps) {
  const values = new ArrayBuffer(48);
  new Float32Array(values).set([0.5, 0.25, -0.5, 0.75, 1, 2, 3, 4]);
  new Uint32Array(values)[8] = steps;
  device.queue.writeBuffer(params, 0, values);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(WORKGROUPS);
  pass.end();
  const started = performance.now();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - started;
}

/** Gigaflops of one candidate. */
async function rate(pipeline) {
  let steps = 1;
  let ms = 0;
  // Whatever else the adapter was doing ends here, and the first start compiles.
  await start(prepared, pipeline, 1);
  while (ms < ENOUGH_MS) {
    steps *= 2;
    ms = await start(prepared, pipeline, steps);
  }
  for (let index = 1; index < STARTS; index += 1) ms = Math.min(ms, await start(prepared, pipeline, steps));
  return (2 * 4 * UNROLLED * steps * WORKGROUP * WORKGROUPS) / ms / 1e6;
}

/** `{ gflops, adapter }`: the rate of the candidate that was fastest at first, two operations to a multiply-add. */
export async function measure() {
  prepared ??= await prepare();
  if (!prepared.fastest) {
    let most = 0;
    for (const pipeline of prepared.pipelines) {
      const gflops = await rate(pipeline);
      if (gflops > most) [most, prepared.fastest] = [gflops, pipeline];
    }
  }
  return { gflops: await rate(prepared.fastest), adapter: prepared.adapter };
}
