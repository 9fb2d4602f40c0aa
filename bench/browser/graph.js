// The layers of a network as SplitLens describes them, for who writes them anew.
import init, { graph as describe } from '/made/engine/splitlens_bench.js';

export async function graph({ id, side }) {
  await init();
  return JSON.parse(describe(id, side));
}
