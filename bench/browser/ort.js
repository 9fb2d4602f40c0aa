// onnxruntime-web: its WebGPU in two builds (JavaScript's kernels, "JSEP", and the native execution provider compiled
// to WebAssembly) and its kernels for the processor, with a thread for each core.

const BUILDS = {
  'ort-jsep': { bundle: 'ort.bundle.min.mjs', provider: 'webgpu' },
  'ort-webgpu': { bundle: 'ort.webgpu.bundle.min.mjs', provider: 'webgpu' },
  'ort-wasm': { bundle: 'ort.wasm.bundle.min.mjs', provider: 'wasm' },
};

export async function load({ id, side }, runtime) {
  const { bundle, provider } = BUILDS[runtime];
  const ort = await import(`/node_modules/onnxruntime-web/dist/${bundle}`);
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = navigator.hardwareConcurrency;
  const session = await ort.InferenceSession.create(`/made/${id}-${side}.onnx`, { executionProviders: [provider] });
  return async (image) => {
    const { logits } = await session.run({ image: new ort.Tensor('float32', image, [1, 3, side, side]) });
    return { logits: await logits.getData() };
  };
}
