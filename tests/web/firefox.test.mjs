// The page in a second engine: the same answer, the same numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEqualsPyTorch, firefox, open, prediction, reading, ready, site } from './browser.mjs';

const here = site(firefox);

test('Firefox analyses the first sample, and its logits and attention equal PyTorch', async () => {
  const { page, complaints } = await open(here, { query: '?debug=1' });
  assert.match(await page.evaluate(() => navigator.userAgent), /Gecko\/.* Firefox\//);
  await ready(page);
  assert.match(await page.getByTestId('status').textContent(), /^Analysed: bison/);
  const { logits } = await reading(page);
  assert.equal(Number(await prediction(page)), logits.indexOf(Math.max(...logits)));
  await assertEqualsPyTorch(page);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
