// Runs every runtime on every network in one browser, in turn, and writes what came out.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { ADAPTERS, chromium } from '../tests/web/browser.mjs';
import { Cell } from './cell.mjs';
import { NETWORKS, golden, make, repository } from './networks.mjs';
import { fail, number, options } from './options.mjs';
import { serve } from './server.mjs';
import { markdown, median } from './table.mjs';

const RUNTIMES = ['splitlens', 'ort-jsep', 'ort-webgpu', 'ort-wasm', 'tfjs'];

/** What the command line asks for. */
function wishes() {
  const values = options('networks', 'runtimes', 'turns', 'patience', 'adapter');
  const known = (all, what) => (name) =>
    all.includes(name) ? name : fail(`${name} is no ${what}; there are ${all.join(', ')}`);
  const some = (list, all, what) => list?.split(',').map(known(all, what)) ?? all;
  return {
    networks: some(values.networks, Object.keys(NETWORKS), 'network'),
    runtimes: some(values.runtimes, RUNTIMES, 'runtime'),
    turns: Math.floor(number('turns', values.turns ?? '5')),
    patience: 1000 * number('patience', values.patience ?? '240'),
    adapter: known(Object.keys(ADAPTERS), 'adapter')(values.adapter ?? 'swiftshader'),
  };
}

/** One network with every runtime: all cold, then rounds in which each has its turn. */
async function measure(browser, address, network, { runtimes, turns, patience }) {
  const expected = await golden(network.id);
  const cells = runtimes.map((runtime) => new Cell(runtime, network, expected, patience));
  const page = await (await browser.newContext()).newPage();
  await page.goto(address);
  const peak = [];
  const measurePeak = () => page.evaluate(() => window.peak());
  // The first also waits for whatever a runtime that was given up has left in the adapter's queue.
  const { adapter } = await measurePeak();
  for (const cell of cells) {
    await cell.open(browser, address);
    await cell.cold();
    console.error(`${network.id} ${cell.runtime}: ${cell.failure ?? `cold ${cell.coldMs.toFixed(0)} ms`}`);
  }
  for (let round = 0; round < turns; round += 1) {
    peak.push((await measurePeak()).gflops);
    for (const cell of cells) await cell.turn();
  }
  for (const cell of cells) {
    if (!cell.failure) console.error(`${network.id} ${cell.runtime}: warm ${median(cell.warm).toFixed(1)} ms`);
    await cell.close();
  }
  await page.context().close();
  return { adapter, ...network, peak, cells: cells.map((cell) => cell.result()) };
}

const git = (...words) => execFileSync('git', words, { cwd: repository('.'), encoding: 'utf8' }).trim();

/** Versions of the peers that were asked for. */
function versions(runtimes) {
  const lock = JSON.parse(readFileSync(repository('bench/package-lock.json'))).packages;
  const packages = { ort: 'onnxruntime-web', tfjs: '@tensorflow/tfjs-core' };
  const used = Object.entries(packages).filter(([prefix]) => runtimes.some((name) => name.startsWith(prefix)));
  return Object.fromEntries(used.map(([, name]) => [name, lock[`node_modules/${name}`].version]));
}

/** Multiply-adds of one image, as timm's layers were counted. */
const macs = (id, side) =>
  Number(readFileSync(repository(`tests/arch/${id}.txt`), 'utf8').match(`at ${side} macs (\\d+)`)[1]);

const asked = wishes();
// Now, since the engine has just been built of it.
const changes = git('status', '--porcelain', '--', '.', ':!bench/results');
const commit = git('rev-parse', '--short', 'HEAD') + (changes ? ' and changes' : '');
await make(asked.networks, asked.runtimes.some((runtime) => runtime.startsWith('ort')));
const [browser, server] = await Promise.all([chromium(asked.adapter), serve()]);
const date = new Date().toISOString();
const path = repository(`bench/results/${date.slice(0, 16).replace(':', '')}`);
const [before] = loadavg();
const networks = [];
let text;

/** Writes what is known so far, so that an hour's work is not lost with a browser. */
async function save(adapter) {
  const [{ model }] = cpus();
  const load = [before, loadavg()[0]].map((load) => load.toFixed(1));
  const results = {
    date,
    commit,
    machine: { processor: model.trim(), threads: cpus().length, load },
    browser: `Chromium ${browser.version()}`,
    adapter,
    versions: versions(asked.runtimes),
    turns: asked.turns,
    networks,
  };
  text = markdown(results);
  await mkdir(repository('bench/results'), { recursive: true });
  await writeFile(`${path}.json`, `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(`${path}.md`, text);
}

for (const id of asked.networks) {
  const side = NETWORKS[id];
  const { adapter, ...network } = await measure(browser, server.address, { id, side, macs: macs(id, side) }, asked);
  networks.push(network);
  await save(adapter);
}
await browser.close();
await server.close();
console.log(text);
// A peer may fail; that is a result.
const ours = networks.flatMap(({ cells }) => cells).filter(({ runtime, failure }) => runtime === 'splitlens' && failure);
if (ours.length > 0) fail(`SplitLens failed: ${ours[0].failure}`);
