import init, { Engine } from '/made/engine/splitlens_bench.js';

export async function load({ id, side }) {
  const [bytes] = await Promise.all([fetch(`/made/${id}.safetensors`).then((file) => file.arrayBuffer()), init()]);
  const engine = await Engine.load(id, side, new Uint8Array(bytes));
  const account = JSON.parse(engine.account());
  const classes = engine.classes();
  return async (image) => {
    const values = await engine.run(image);
    return { logits: values.subarray(0, classes), gates: values.subarray(classes), account };
  };
}
