// Networks with deterministic weights, made once and kept under target/bench, and what timm answers.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { checkpoint, image } from '../tests/web/hashed.mjs';

export const repository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** What is made here and by ./run, which the browser gets as /made/. */
export const MADE = repository('target/bench');

/** By id the sides of their images, small networks first. */
export const NETWORKS = {
  resnet_tiny: 64,
  resnext_tiny: 64,
  seresnext_tiny: 64,
  sknet_tiny: 64,
  resnest_tiny: 64,
  resnest_tiny_2s2x: 64,
  regnetx_tiny: 64,
  regnety_tiny: 64,
  regnetz_relu_tiny: 64,
  regnetz_swish_tiny: 64,
  regnetx_002: 224,
  efficientnet_b0: 224,
  regnety_016: 224,
  resnest14d: 224,
  resnext50_32x4d: 224,
  resnet50: 224,
  seresnet50: 224,
  skresnext50_32x4d: 224,
  resnest50d: 224,
};

/** Makes what is missing for these networks: weights, images, and, if `onnx`, timm's networks as ONNX. */
export async function make(ids, onnx) {
  await mkdir(MADE, { recursive: true });
  for (const id of ids) {
    const side = NETWORKS[id];
    const weights = `${MADE}/${id}.safetensors`;
    if (!isNewer(weights, 'tests/web/hashed.mjs', `tests/arch/${id}.txt`)) {
      await writeFile(`${weights}.part`, await checkpoint(id));
      await rename(`${weights}.part`, weights);
    }
    await writeFile(`${MADE}/image-${side}.f32`, image(side));
  }
  const sources = ['bench/export.py', 'bench/requirements.txt', 'tests/golden/networks.py'];
  const missing = ids.filter((id) => !isNewer(`${MADE}/${id}-${NETWORKS[id]}.onnx`, ...sources));
  if (!onnx || missing.length === 0) return;
  execFileSync(repository('bench/export.sh'), missing.map((id) => `${id}:${NETWORKS[id]}`), { stdio: 'inherit' });
}

/** Whether a file is there that was made after its sources were last changed. */
const isNewer = (made, ...sources) =>
  existsSync(made) && sources.every((source) => statSync(repository(source)).mtimeMs < statSync(made).mtimeMs);

/** timm's answer to a network's image, see tests/golden/networks.py: `{ logits, gates }`. */
export async function golden(id) {
  const bytes = await readFile(repository(`tests/golden/networks/${id}.safetensors`));
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length));
  const values = (what, Type, scale) => {
    const tensor = header[`${NETWORKS[id]}/${what}`];
    if (!tensor) return [];
    const [from, to] = tensor.data_offsets.map((offset) => 8 + length + offset);
    return Array.from(new Type(new Uint8Array(bytes.subarray(from, to)).buffer), (value) => value * scale);
  };
  return { logits: values('logits', Float32Array, 1), gates: values('gates', Uint16Array, 1 / 65535) };
}
