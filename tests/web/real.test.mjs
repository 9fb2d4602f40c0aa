// A published checkpoint, dropped on the page, gives PyTorch's logits and the right answers for the samples.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATIENCE, assertClose, drop, file, nextReading, open, prediction, reading, ready, site } from './browser.mjs';

const here = site();
const NETWORK = 'tf_efficientnet_lite0';
const skip = process.env.SPLITLENS_REAL ? false : 'its weights are downloaded: ./check --real';

test('EfficientNet-Lite0 from a dropped file equals PyTorch and knows the samples', { skip }, async () => {
  const golden = JSON.parse(await file('tests/golden/lite0.json'));
  const { page, complaints } = await open(here, { query: '?debug=1' });
  await ready(page);
  await drop(page, await file(`target/real/${NETWORK}.safetensors`), `${NETWORK}.safetensors`, '');
  await page.waitForFunction((name) => window.splitlens.reading().network === name, NETWORK, { timeout: PATIENCE });
  await ready(page);

  let { run } = await reading(page);
  for (const { file: name, logits } of golden.images) {
    await drop(page, await file(`tests/golden/${name}`), name, 'image/png');
    const found = await nextReading(page, run);
    run = found.run;
    assertClose(found.logits, logits, 1e-3 * (Math.max(...logits) - Math.min(...logits)), name);
  }
  for (const { file: name, answers } of golden.samples) {
    await page.locator(`[data-testid=sample][data-sample="${name}"]`).click();
    run = (await nextReading(page, run)).run;
    const answer = Number(await prediction(page));
    assert.ok(answers.includes(answer), `${name} is taken for class ${answer}`);
  }
  assert.deepEqual(complaints, []);
  await page.context().close();
});
