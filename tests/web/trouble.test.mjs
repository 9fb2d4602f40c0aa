// What can go wrong, and what the page says and keeps when it does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, file, nextReading, open, PATIENCE, phase, pixels, prediction, reading, ready, screenshot, site } from './browser.mjs';

const here = site();

const text = (page, testid) => page.getByTestId(testid).textContent();

test('a file that is no image gets a sentence and takes nothing away', async () => {
  const { page } = await open(here);
  await ready(page);
  const [answer, map] = [await prediction(page), await pixels(page, 'heatmap')];
  await drop(page, Buffer.from('no image at all'), 'notes.png', 'image/png');
  await page.getByTestId('notice').waitFor();
  assert.match(await text(page, 'notice'), /notes\.png/);
  await page.getByRole('button', { name: 'Dismiss' }).press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'picture', 'the focus stays in the page');
  assert.equal(await prediction(page), answer);
  assert.equal(await pixels(page, 'heatmap'), map);
  const whole = await file('static/samples/coffee.jpg');
  await drop(page, whole.subarray(0, 200), 'cut.jpg', 'image/jpeg');
  await page.waitForFunction(() => document.querySelector('[data-testid=notice]')?.textContent.includes('cut.jpg'));
  await ready(page);
  await page.context().close();
});

test('a lost device recovers by itself with the same answer', async () => {
  const { page } = await open(here, { query: '?lose=1&debug=1' });
  await page.waitForFunction(() => window.splitlens?.reading()?.run >= 1, null, { timeout: 120_000 });
  const before = await reading(page);
  const after = await nextReading(page, before.run);
  assert.equal(await page.getByTestId('notice').getAttribute('data-tone'), 'recovered');
  assert.deepEqual(after.logits, before.logits);
  await page.context().close();
});

test('a browser without WebGPU gets a sentence and a page', async () => {
  const prepare = (page) =>
    page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined }));
  const { page } = await open(here, { prepare });
  await phase(page, 'failed');
  assert.match(await text(page, 'failure'), /WebGPU/);
  assert.ok((await page.getByTestId('sample').count()) > 0, 'the samples stay visible');
  await screenshot(page, 'no-webgpu');
  await page.context().close();
});

for (const [what, prepare, why] of [
  ['does not arrive', (page) => page.route('**/*_bg.wasm', (route) => route.fulfill({ status: 404 })), /WebAssembly|wasm|404/i],
  ['cannot run', (page) => page.addInitScript(() => delete window.WebAssembly), /WebAssembly/],
]) {
  test(`a program that ${what} is told`, async () => {
    const { page } = await open(here, { prepare });
    await phase(page, 'failed');
    assert.ok(await page.getByTestId('crash').isVisible());
    assert.match(await text(page, 'crash'), /did not load/);
    assert.match(await text(page, 'crash'), why);
    await page.context().close();
  });
}

test('a program that traps says so, and anybody else’s error does not', async () => {
  const { page } = await open(here);
  await ready(page);
  await page.evaluate(() => void Promise.reject(new Error('an extension’s')));
  await page.waitForTimeout(200);
  assert.ok(await page.getByTestId('crash').isHidden());
  await page.evaluate(() => void Promise.reject(new WebAssembly.RuntimeError('unreachable')));
  await phase(page, 'failed');
  assert.match(await text(page, 'crash'), /fault of its own[^]*unreachable[^]*out of memory/);
  assert.ok(await page.getByTestId('crash').isVisible());
  await page.context().close();
});

test('a machine without an adapter gets a sentence', async () => {
  const prepare = (page) => page.addInitScript(() => (GPU.prototype.requestAdapter = async () => null));
  const { page } = await open(here, { prepare });
  await phase(page, 'failed');
  assert.match(await text(page, 'failure'), /adapter|graphics/i);
  await page.context().close();
});

test('a missing card is asked for once, and again when the visitor tries again', async () => {
  let asked = 0;
  let spoil = true;
  const prepare = async (page) => {
    await page.addInitScript(() => {
      window.alarms = 0;
      const count = (records) => (window.alarms += records.filter(({ target }) => target.id === 'crash').length);
      new MutationObserver(count).observe(document, { subtree: true, attributeFilter: ['hidden'] });
    });
    await page.route('**/resnest_tiny.json', (route) => {
      asked += 1;
      return spoil ? route.fulfill({ status: 404 }) : route.continue();
    });
  };
  const { page } = await open(here, { prepare });
  await phase(page, 'failed');
  await page.waitForTimeout(1000);
  assert.equal(asked, 1, 'nobody asks again by himself');
  assert.match(await text(page, 'failure'), /404/);
  assert.equal(await page.evaluate(() => window.alarms), 0, 'what was loaded ahead is no part of the page');
  const again = page.waitForRequest('**/resnest_tiny.json', { timeout: PATIENCE });
  await page.getByTestId('retry').click();
  await again;
  await phase(page, 'failed');
  spoil = false;
  await page.getByTestId('retry').click();
  await ready(page);
  assert.ok(await prediction(page), 'the sample that waited is analysed');
  await page.context().close();
});

for (const [what, answer, sentence] of [
  ['missing', (route) => route.fulfill({ status: 404 }), /404|not found/i],
  ['cut short', async (route) => route.fulfill({ body: (await file('static/models/resnest_tiny.safetensors')).subarray(0, 1_000_000) }), /the file has 1000000 bytes, but its header speaks of/],
  ['not finite', async (route) => {
    const bytes = Buffer.from(await file('static/models/resnest_tiny.safetensors'));
    bytes.fill(0xff, bytes.length - 64);
    await route.fulfill({ body: bytes });
  }, /finite/i],
]) {
  test(`weights that are ${what} get a sentence, and trying again works`, async () => {
    let spoil = true;
    const prepare = (page) =>
      page.route('**/*.safetensors', (route) => (spoil ? answer(route) : route.continue()));
    const { page } = await open(here, { prepare });
    await phase(page, 'failed');
    assert.match(await text(page, 'failure'), sentence);
    spoil = false;
    await page.getByTestId('retry').click();
    await ready(page);
    assert.ok(await prediction(page));
    await page.context().close();
  });
}

test('a photo of twelve megapixels and one of a hundred get an answer', async () => {
  const { page } = await open(here, { query: '?debug=1' });
  await ready(page);
  let { run } = await reading(page);
  for (const [width, height] of [
    [4000, 3000],
    [10000, 10000],
  ]) {
    await page.evaluate(
      async ([width, height]) => {
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');
        context.fillStyle = 'teal';
        context.fillRect(0, 0, width, height / 2);
        const blob = await canvas.convertToBlob({ type: 'image/jpeg' });
        const transfer = new DataTransfer();
        transfer.items.add(new File([blob], 'large.jpg', { type: 'image/jpeg' }));
        for (const event of ['dragenter', 'dragover', 'drop']) {
          document.body.dispatchEvent(new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }
      },
      [width, height],
    );
    run = (await nextReading(page, run)).run;
  }
  await page.context().close();
});
