// A checkpoint made of names and indices alone, value for value that of src/weights/hashed.rs, where the reasons
// for its numbers are; so nothing large is stored.
import { file } from './browser.mjs';

/** Values in [-1, 1) by index. */
function hashed(name) {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return (index) => {
    let x = (seed + Math.imul(index, 0x9e3779b9)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
    x = (x ^ (x >>> 16)) >>> 0;
    return (x >>> 8) * 2 ** -23 - 1;
  };
}

/** Networks whose activation is SiLU. */
const SILU = ['efficientnet_b0', 'regnetz_005', 'regnetz_swish_tiny'];
const LAST_NORM = ['bn3.weight', 'conv2.bn.weight', 'conv3.bn.weight'];
const GATING = {
  'fc2.weight': 2,
  'conv_expand.weight': 2,
  'fc2.bias': 1,
  'conv_expand.bias': 1,
  'fc_select.weight': 0.8,
};

/** Centre and spread of a tensor's values. */
function distribution(name, shape, isSilu) {
  const gating = Object.entries(GATING).find(([suffix]) => name.endsWith(suffix))?.[1];
  if (shape.length > 1) {
    const fanIn = shape.slice(1).reduce((a, b) => a * b);
    return [0, (gating ?? (isSilu ? 1.56 : 1.2)) * Math.sqrt(3 / fanIn)];
  }
  const kind = name.split('.').at(-1);
  if (kind === 'running_var') return [0.5, 0.45];
  if (kind === 'weight') {
    const isLast = name.startsWith('layer') && LAST_NORM.some((suffix) => name.endsWith(suffix));
    const scale = isLast ? 0.15 : 0.5;
    return [scale, 0.3 * scale];
  }
  return [0, gating ?? 0.1];
}

/**
 * The safetensors file of a network with the tensors that tests/arch says it has. Its header is padded with spaces,
 * as the format allows, until the file has `length` bytes.
 */
export async function checkpoint(network, length = 0) {
  const lines = String(await file(`tests/arch/${network}.txt`)).split('\n');
  // A tensor's line is its name and its shape; units have more columns.
  const tensors = lines.map((line) => line.split(' ')).filter((row) => row.length === 2 && row[0].includes('.'));
  const header = {};
  const data = [];
  let offset = 0;
  for (const [name, text] of tensors) {
    const shape = text.split(',').map(Number);
    const [centre, spread] = distribution(name, shape, SILU.includes(network)).map(Math.fround);
    const value = hashed(name);
    const values = new Float32Array(shape.reduce((a, b) => a * b));
    for (let index = 0; index < values.length; index += 1) values[index] = centre + Math.fround(spread * value(index));
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
    data.push(Buffer.from(values.buffer));
  }
  const json = JSON.stringify(header).padEnd(length - offset - 8);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([size, Buffer.from(json), ...data]);
}

/** `[3, side, side]`, as `image` of src/weights/hashed.rs has it. */
export function image(side) {
  const [coarse, fine] = [hashed('coarse'), hashed('fine')];
  const cell = (pixel) => Math.floor(pixel / 32) % 8;
  return Float32Array.from({ length: 3 * side * side }, (_, index) => {
    const [channel, y, x] = [Math.floor(index / side / side), Math.floor(index / side) % side, index % side];
    return Math.fround(3 * coarse((channel * 8 + cell(y)) * 8 + cell(x))) + fine(index);
  });
}
