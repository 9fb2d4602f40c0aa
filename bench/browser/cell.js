// A page is one cell of the table: one runtime with one network. The bench calls what is put on `window` here.

/**
 * Where each runtime is; `load(network, runtime, graph)` of these resolves to `run(image)`, which resolves to
 * `{ logits, gates }`.
 */
const MODULES = {
  splitlens: './splitlens.js',
  'ort-jsep': './ort.js',
  'ort-webgpu': './ort.js',
  'ort-wasm': './ort.js',
  tfjs: './tfjs.js',
};

let run;
let image;

/** Runs once; resolves to the milliseconds from image to answer, and the answer. */
async function timed(started) {
  const { logits, gates = [], ...more } = await run(image);
  return { ms: performance.now() - started, logits: [...logits], gates: [...gates], ...more };
}

/** From nothing to the first answer: the program and the network are fetched, compiled, and run once. */
window.cold = async (runtime, network) => {
  image = new Float32Array(await (await fetch(`/made/image-${network.side}.f32`)).arrayBuffer());
  // The layers of tfjs are written as ours are described; what describes them is no part of tfjs.
  const graph = runtime === 'tfjs' ? await (await import('./graph.js')).graph(network) : undefined;
  const started = performance.now();
  const { load } = await import(MODULES[runtime]);
  run = await load(network, runtime, graph);
  return timed(started);
};

window.warm = () => timed(performance.now());

/** Gigaflops of nothing but multiply-adds; see peak.js. */
window.peak = async () => (await import('./peak.js')).measure();
