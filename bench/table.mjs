// The results as people read them.

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

const digits = (value, count) => `${Number(value.toPrecision(count))}`;
/** Three digits, as milliseconds below a second and seconds above. */
const time = (ms) => (ms < 1000 ? `${digits(ms, 3)} ms` : `${digits(ms / 1000, 3)} s`);
const share = (part) => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

/** Gigaflops of a run: two operations for each multiply-add of the network as its layers are written. */
const gflops = (macs, ms) => (2 * macs) / ms / 1e6;

/** Milliseconds of the fastest of these runtimes, the median of its warm runs; none where none ran. */
function fastest(cells, ...runtimes) {
  const ran = cells.filter(({ runtime, failure }) => runtimes.includes(runtime) && !failure);
  return ran.length ? Math.min(...ran.map(({ warm_ms: warm }) => median(warm))) : null;
}

const megabytes = (bytes) => `${digits(bytes / 1e6, 3)} MB`;

/** The peers of the overview, each the faster of its builds. */
const PEERS = {
  'onnxruntime-web, WebGPU': ['ort-jsep', 'ort-webgpu'],
  'tfjs, WebGPU': ['tfjs'],
  'onnxruntime-web, wasm': ['ort-wasm'],
};

/** A line for each network: SplitLens's times and memory, and how many times as long its peers take. */
function overview(networks) {
  const asked = new Set(networks.flatMap(({ cells }) => cells.map(({ runtime }) => runtime)));
  const peers = Object.entries(PEERS).filter(([, runtimes]) => runtimes.some((runtime) => asked.has(runtime)));
  const lines = networks.flatMap(({ id, side, macs, peak, cells }) => {
    const own = cells.find(({ runtime, failure }) => runtime === 'splitlens' && !failure);
    if (!own) return [];
    const ms = median(own.warm_ms);
    const { total_bytes: total, activations_bytes: activations, peak_live_bytes: live } = own.account;
    const ratios = peers.map(([, runtimes]) => {
      const theirs = fastest(cells, ...runtimes);
      return theirs === null ? 'fails' : digits(theirs / ms, 2);
    });
    const part = share(gflops(macs, ms) / Math.max(...peak));
    const memory = [megabytes(total), digits(activations / live, 3)];
    return [[`\`${id}\` ${side}`, time(ms), time(own.cold_ms), ...ratios, part, ...memory]];
  });
  const names = peers.map(([name]) => `${name}, times`);
  return tabular(['network', 'SplitLens', 'cold', ...names, 'of peak', 'memory', 'activations, over live'], 1, lines);
}

/** A table in Markdown, of which the first `left` columns are of words. */
const tabular = (header, left, rows) =>
  [header, header.map((_, column) => (column < left ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');

function rows({ id, side, macs, peak, cells }, turns) {
  const ownMs = fastest(cells, 'splitlens');
  const network = `${id} ${side}`;
  return cells.map(({ runtime, failure, cold_ms: cold, warm_ms: warm }) => {
    if (failure) return [network, runtime, `fails: ${failure.replaceAll('|', '\\|')}`, '', '', '', ''];
    const ms = median(warm);
    const rate = gflops(macs, ms);
    const ratio = ownMs ? digits(ms / ownMs, 2) : '';
    const fewer = warm.length < turns ? ` (of ${warm.length})` : '';
    const numbers = [ratio, digits(rate, 3), share(rate / Math.max(...peak))];
    return [network, runtime, time(cold), time(ms) + fewer, ...numbers];
  });
}

/** The table and what it was measured on, in Markdown. */
export function markdown({ date, commit, machine, browser, adapter, versions, turns, networks }) {
  const header = ['network', 'runtime', 'cold', 'warm', 'ratio', 'GFLOP/s', 'of peak'];
  const lines = networks.flatMap((network) => rows(network, turns));
  const peaks = networks.map(({ peak }) => Math.max(...peak));
  const range = [Math.min(...peaks), Math.max(...peaks)].map((peak) => peak.toFixed(1)).join(' to ');
  const others = Object.entries(versions).map((version) => version.join(' ')).join(', ') || 'no peers';
  return `# Benchmark of ${date.slice(0, 10)}

SplitLens ${commit}; ${machine.processor}, ${machine.threads} threads, load ${machine.load.join(', ')} (before, after);
${browser}, adapter ${adapter}; ${others}.

Batch 1. Cold: from nothing, the program fetched, to the first answer. Warm: median of ${turns} turns,
which all have one after the other, of up to five runs in a second.
Ratio: to SplitLens, warm. GFLOP/s: two operations for each multiply-add of the layers as written. Peak: the highest
rate of bare multiply-adds in a network's rounds; over the networks, ${range} GFLOP/s. SplitLens also
reads back gates and maps, which the others do not. Memory: all that SplitLens has on the device for the network; its
activations, over the largest set of them that is alive at a time. Of several builds of a peer, the faster counts.

${overview(networks)}

Each runtime for itself:

${tabular(header, 2, lines)}
`;
}
