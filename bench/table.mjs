// The results as people read them.

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Three digits, as milliseconds below a second and seconds above. */
const time = (ms) => (ms < 1000 ? `${Number(ms.toPrecision(3))} ms` : `${Number((ms / 1000).toPrecision(3))} s`);
const share = (part) => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

/** Gigaflops of a run: two operations for each multiply-add of the network as its layers are written. */
const gflops = (macs, ms) => (2 * macs) / ms / 1e6;

function rows({ id, side, macs, peak, cells }, runs) {
  const own = cells.find(({ runtime }) => runtime === 'splitlens');
  const ownMs = own && !own.failure ? median(own.warm_ms) : null;
  const network = `${id} ${side}`;
  return cells.map(({ runtime, failure, cold_ms: cold, warm_ms: warm }) => {
    if (failure) return [network, runtime, `fails: ${failure.replaceAll('|', '\\|')}`, '', '', '', ''];
    const ms = median(warm);
    const rate = gflops(macs, ms);
    const ratio = ownMs ? `${Number((ms / ownMs).toPrecision(2))}` : '';
    const fewer = warm.length < runs ? ` (of ${warm.length})` : '';
    const numbers = [ratio, `${Number(rate.toPrecision(3))}`, share(rate / Math.max(...peak))];
    return [network, runtime, time(cold), time(ms) + fewer, ...numbers];
  });
}

/** The table and what it was measured on, in Markdown. */
export function markdown({ date, commit, machine, browser, adapter, versions, runs, networks }) {
  const lines = networks.flatMap((network) => rows(network, runs)).map((row) => `| ${row.join(' | ')} |`);
  const peaks = networks.map(({ peak }) => Math.max(...peak));
  const range = [Math.min(...peaks), Math.max(...peaks)].map((peak) => peak.toFixed(1)).join(' to ');
  const others = Object.entries(versions).map((version) => version.join(' ')).join(', ') || 'no peers';
  return `# Benchmark of ${date.slice(0, 10)}

SplitLens ${commit}; ${machine.processor}, ${machine.threads} threads, load ${machine.load.join(', ')} (before, after);
${browser}, adapter ${adapter}; ${others}.

Batch 1. Cold: from nothing, the program fetched, to the first answer. Warm: median of ${runs}, all in turn.
Ratio: to SplitLens, warm. GFLOP/s: two operations for each multiply-add of the layers as written. Peak: the highest
rate of bare multiply-adds in a network's rounds; over the networks, ${range} GFLOP/s. SplitLens also
reads back gates and maps, which the others do not.

| network | runtime | cold | warm | ratio | GFLOP/s | of peak |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}
`;
}
