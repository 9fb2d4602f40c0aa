// Toggling for a long time leaves everything as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, nextReading, press, reading, site, visit } from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const here = site();
const TOGGLES = 200;
/** Enough for two of the networks: the rest have to be made again and again. */
const BUDGET_MB = 12;
/** For a read-back under way: a unit's branches or a layer's group maps. */
const READ_BACK_BYTES = 1e6;

test(`${TOGGLES} changes of the network: the same answers, no growth`, async () => {
  await visit(here, { query: `?debug=1&memory=${BUDGET_MB}` }, async (page) => {
    const first = new Map();
    const note = ({ network, logits }) => {
      if (!first.has(network)) first.set(network, logits);
      assert.deepEqual(logits, first.get(network), network);
    };
    let last = await reading(page);
    note(last);
    for (const network of ['seresnext_tiny', 'sknet_tiny', 'regnetx_tiny']) {
      await drop(page, await checkpoint(network), `${network}.safetensors`);
      last = await nextReading(page, last.run);
      note(last);
    }
    const memory = () => page.evaluate(() => window.splitlens.memory());
    let settled;
    for (let toggle = 0; toggle < TOGGLES; toggle += 1) {
      last = await press(page, toggle % 3 === 2 ? '[' : ']');
      note(last);
      const { allocated, device, device_budget, networks, program } = await memory();
      assert.equal(device_budget, BUDGET_MB * 1e6);
      assert.ok(device <= device_budget, `${device} bytes for ${networks} networks`);
      const besides = allocated - device;
      assert.ok(besides >= 0 && besides < READ_BACK_BYTES, `${besides} bytes besides the ${networks} networks`);
      // Every network has been made anew a few times by then.
      if (toggle === TOGGLES / 4) settled = program;
      // Once in a run more than ever before may be alive at the same time, on a busy machine; 20 KB a change that is lost
      // would show.
      if (toggle > TOGGLES / 4) assert.ok(program < 1.1 * settled, `${program} bytes of the program, ${settled} before`);
    }
    assert.ok(first.size >= 4);
  });
});
