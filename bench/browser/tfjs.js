// tfjs on WebGPU: the graph that SplitLens runs, operation by operation as a user of the library would write it, but
// with batch norm folded into the convolutions. Activations are NHWC with N = 1. Grouped convolutions, which the
// library lacks, are a convolution for each group, or a depthwise one.
const LIBRARY = '/node_modules/@tensorflow';

const script = (src) =>
  new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement('script'), { src, onload: resolve });
    element.onerror = () => reject(new Error(`${src} did not load`));
    document.head.append(element);
  });

/** The tensors of a safetensors file: `{ shape, values }` by name. */
function checkpoint(bytes) {
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  const tensor = ([name, { shape, data_offsets: [from, to] }]) => {
    const values = new Float32Array(bytes.slice(8 + length + from, 8 + length + to));
    return [name, { shape, values }];
  };
  return Object.fromEntries(Object.entries(header).map(tensor));
}

/** Weight and bias of a convolution with the norm that follows it, if one does. */
function folded(tensors, conv, norm) {
  const { shape, values } = tensors[`${conv.name}.weight`];
  const [out] = shape;
  const row = values.length / out;
  const weight = values.slice();
  const bias = conv.bias ? tensors[`${conv.name}.bias`].values.slice() : new Float32Array(out);
  if (norm) {
    const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
      (suffix) => tensors[`${norm.name}.${suffix}`].values,
    );
    for (let o = 0; o < out; o += 1) {
      const factor = scale[o] / Math.sqrt(variance[o] + norm.epsilon);
      for (let index = o * row; index < (o + 1) * row; index += 1) weight[index] *= factor;
      bias[o] = (bias[o] - mean[o]) * factor + shift[o];
    }
  }
  return { shape, weight, bias };
}

/** Zeros around the pixels, as many on every side. */
const around = (tf, x, zeros) => (zeros ? tf.pad(x, [[0, 0], [zeros, zeros], [zeros, zeros], [0, 0]]) : x);

/** What a convolution does with its input, its weights on the device. */
function convolution(tf, tensors, conv, norm) {
  const { shape, weight, bias } = folded(tensors, conv, norm);
  const { groups, stride, dilation, padding } = conv;
  const [out, inPerGroup] = shape;
  const filter = tf.tidy(() => tf.keep(tf.transpose(tf.tensor(weight, shape), [2, 3, 1, 0])));
  const offset = tf.keep(tf.tensor1d(bias));
  const one = (x, filter) => {
    const step = dilation > 1 ? 1 : stride;
    const y = tf.conv2d(x, filter, step, padding ?? 'same', 'NHWC', dilation, 'floor');
    // The library takes no stride with a dilation: then pixels are left out afterwards.
    return step === stride ? y : tf.stridedSlice(y, [0, 0, 0, 0], y.shape, [1, stride, stride, 1]);
  };
  if (groups === 1) return (x) => tf.add(one(x, filter), offset);
  if (groups === out && inPerGroup === 1) {
    const depthwise = tf.keep(tf.transpose(filter, [0, 1, 3, 2]));
    const run = (x) => tf.depthwiseConv2d(x, depthwise, stride, padding ?? 'same', 'NHWC', dilation, 'floor');
    return (x) => tf.add(run(x), offset);
  }
  const filters = tf.split(filter, groups, 3).map((part) => tf.keep(part));
  return (x) => {
    const parts = tf.split(x, groups, 3).map((part, group) => one(part, filters[group]));
    return tf.add(tf.concat(parts, 3), offset);
  };
}

function average(tf, x, { kernel, stride, padding, ceil_mode: ceil, count_include_pad: counted }) {
  if (padding && !counted) throw new Error('tfjs: an average that leaves out its padding is not written');
  // A last partial window counts what it covers, which is what 'same' means for a window as wide as its stride.
  return tf.avgPool(around(tf, x, padding), kernel, stride, ceil ? 'same' : 'valid');
}

/** Splits of the channels, radix-major. */
const splits = (tf, x, radix) => tf.split(x, radix, 3);
const sum = (tf, parts) => parts.reduce((a, b) => tf.add(a, b));

/** Logits cardinality-major to gates radix-major. */
function radixSoftmax(tf, x, { radix, cardinality }) {
  if (radix === 1) return tf.sigmoid(x);
  const apart = tf.transpose(tf.reshape(x, [cardinality, radix, -1]), [1, 0, 2]);
  const exponents = tf.exp(tf.sub(apart, tf.max(apart, 0, true)));
  return tf.reshape(tf.div(exponents, tf.sum(exponents, 0, true)), [1, 1, 1, -1]);
}

/** The other operations; `x` is the first input, `y` the second, `all` are all. */
const OPERATIONS = {
  identity: (_tf, _node, x) => x,
  relu: (tf, _node, x) => tf.relu(x),
  relu6: (tf, _node, x) => tf.relu6(x),
  silu: (tf, _node, x) => tf.mul(x, tf.sigmoid(x)),
  sigmoid: (tf, _node, x) => tf.sigmoid(x),
  max_pool: (tf, node, x) => tf.maxPool(x, node.kernel, node.stride, node.padding, 'floor'),
  avg_pool: (tf, node, x) => average(tf, x, node),
  global_avg_pool: (tf, _node, x) => tf.mean(x, [1, 2], true),
  sum_splits: (tf, node, x) => sum(tf, splits(tf, x, node.radix)),
  radix_softmax: (tf, node, x) => radixSoftmax(tf, x, node),
  weighted_sum: (tf, node, x, y) => sum(tf, splits(tf, tf.mul(x, y), node.radix)),
  add: (tf, _node, x, y) => tf.add(x, y),
  concat: (tf, _node, ...all) => tf.concat(all, 3),
  slice: (tf, node, x) => tf.slice(x, [0, 0, 0, node.first], [-1, -1, -1, node.count]),
};

/** A function for each node, and for the others, that a convolution has taken in, none. */
function operations(tf, graph, tensors) {
  const readers = graph.nodes.map((_, index) => graph.nodes.filter((node) => node.inputs.includes(index)));
  const classifier = (node) => {
    const { shape, values } = tensors[`${node.name}.weight`];
    const weight = tf.keep(tf.tensor2d(values, shape));
    const bias = tf.keep(tf.tensor1d(tensors[`${node.name}.bias`].values));
    return (x) => tf.add(tf.matMul(tf.reshape(x, [1, -1]), weight, false, true), bias);
  };
  return graph.nodes.map((node, index) => {
    if (node.op === 'input') return null;
    if (node.op === 'linear') return classifier(node);
    if (node.op === 'batch_norm') return (x) => x;
    if (node.op !== 'conv') return (...inputs) => OPERATIONS[node.op](tf, node, ...inputs);
    return convolution(tf, tensors, node, readers[index].find((reader) => reader.op === 'batch_norm'));
  });
}

export async function load({ id, side }, _runtime, graph) {
  const bytes = fetch(`/made/${id}.safetensors`).then((file) => file.arrayBuffer());
  await script(`${LIBRARY}/tfjs-core/dist/tf-core.min.js`);
  await script(`${LIBRARY}/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js`);
  const { tf } = globalThis;
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs has no WebGPU here');
  const run = operations(tf, graph, checkpoint(await bytes));
  return async (image) => {
    const logits = tf.tidy(() => {
      const values = [tf.transpose(tf.tensor(image, [1, 3, side, side]), [0, 2, 3, 1])];
      graph.nodes.forEach((node, index) => {
        if (index > 0) values.push(run[index](...node.inputs.map((input) => values[input])));
      });
      return values[graph.logits];
    });
    const found = await logits.data();
    logits.dispose();
    return { logits: found };
  };
}
