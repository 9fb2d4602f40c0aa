// Toggling networks: by the menu, by keys, by dropping their weights; and what does not fit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertClose, drop, dropAll, nextReading, open, PATIENCE, press, reading, ready, site, visit, walkTo } from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const here = site();
const DIVERGING = ['Purple to orange', 'Blue to red', 'Teal to brown'];
const DEBUG = { query: '?debug=1' };

/** Drops a network's made-up weights and waits for what it makes of the picture. */
async function dropNetwork(page, network) {
  const { run } = await reading(page);
  await drop(page, await checkpoint(network), `${network}.safetensors`);
  return nextReading(page, run);
}

const focused = (page) => page.evaluate(() => document.activeElement.id);

const chosenUnit = (page) => page.locator('[data-testid="unit"][aria-checked="true"]').getAttribute('data-name');

test('a dropped checkpoint opens its network on the same picture, and keys go back and forth', async () => {
  await visit(here, DEBUG, async (page) => {
    const before = await reading(page);
    assert.equal(before.network, 'resnest_tiny');
    await page.locator('[data-testid="unit"][data-name="layer3.1.conv2"]').click();

    const after = await dropNetwork(page, 'sknet_tiny');
    assert.equal(after.network, 'sknet_tiny');
    assert.equal(await page.getByTestId('variant').inputValue(), 'sknet_tiny');
    assert.equal(after.units.length, 8);
    assert.equal(await chosenUnit(page), 'layer3.1.conv2', 'the comparable unit stays chosen');
    assert.match(await page.getByTestId('provenance').textContent(), /your file sknet_tiny\.safetensors/);
    for (const unit of after.units) assert.ok(unit.residual < 1e-5, `${unit.name}: ${unit.residual}`);

    const back = await press(page, '[');
    assert.notEqual(back.network, 'sknet_tiny');
    const there = await press(page, ']');
    assert.equal(there.network, 'sknet_tiny');
    assert.deepEqual(there.logits, after.logits);
    assert.deepEqual((await walkTo(page, 'resnest_tiny', ']')).logits, before.logits);
    assert.equal(await chosenUnit(page), 'layer3.1.conv2');
  });
});

test('on a phone the chosen family stands in the row of families', async () => {
  await visit(here, { ...DEBUG, viewport: { width: 390, height: 844 }, hasTouch: true }, async (page) => {
    const isInView = async () => {
      const chosen = page.locator('[data-testid="family"][aria-selected="true"]');
      const [tab, row] = [await chosen.boundingBox(), await chosen.locator('xpath=..').boundingBox()];
      assert.ok(tab.x >= row.x && tab.x + tab.width <= row.x + row.width, JSON.stringify({ tab, row }));
      return chosen.getAttribute('data-value');
    };
    assert.equal(await isInView(), 'resnest');
    // Keys of the page, since a button that takes the focus is scrolled to by the browser.
    await walkTo(page, 'resnext_tiny', '[');
    assert.equal(await isInView(), 'resnext');
    await walkTo(page, 'resnest_tiny', ']');
    assert.equal(await isInView(), 'resnest');
  });
});

test('squeeze and excitation has one branch; what needs two gives way', async () => {
  await visit(here, DEBUG, async (page) => {
    await page.locator('[data-testid="view"][data-value="difference"]').click();
    const { units } = await dropNetwork(page, 'seresnext_tiny');
    assert.equal(units[0].attention.length, 1);
    const chosen = page.locator('[data-testid="view"][aria-selected="true"]');
    assert.equal(await chosen.getAttribute('data-value'), 'contribution');
    // Before the attention of an SE-ResNeXt stands no ReLU.
    const ends = await Promise.all(['legend-low', 'legend-high'].map((end) => page.getByTestId(end).textContent()));
    const [low, high] = ends.map((end) => Number(end.replace('−', '-')));
    assert.ok(low < 0 && low === -high, `zero is the middle of the scale: ${ends}`);
    assert.deepEqual(await page.locator('[data-testid="colours"] option').allTextContents(), DIVERGING);
    assert.match(await page.getByTestId('explain').textContent(), /The middle of the scale is zero; values below/);
  });
});

test('weights that fit two networks make the page ask', async () => {
  await visit(here, DEBUG, async (page) => {
    const { run } = await reading(page);
    await drop(page, await checkpoint('regnetz_relu_tiny'), 'mystery.safetensors');
    await page.getByTestId('puzzle').waitFor();
    const choices = page.getByTestId('puzzle-choice');
    assert.deepEqual(await choices.evaluateAll((all) => all.map((button) => button.dataset.value)), [
      'regnetz_relu_tiny',
      'regnetz_swish_tiny',
    ]);
    await choices.first().click();
    assert.equal((await nextReading(page, run)).network, 'regnetz_relu_tiny');
    assert.equal(await page.getByTestId('puzzle').count(), 0);
    assert.equal(await focused(page), 'network', 'the focus does not go with the card');
  });
});

test('a description beside the weights says which network and how pictures are resized', async () => {
  await visit(here, DEBUG, async (page) => {
    const { run } = await reading(page);
    const card = { name: 'regnetz_swish_tiny', input: [3, 96, 96], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    await dropAll(page, [
      { name: 'mystery.json', bytes: Buffer.from(JSON.stringify(card)), type: 'application/json' },
      { name: 'mystery.safetensors', bytes: await checkpoint('regnetz_relu_tiny') },
    ]);
    const { network, side } = await nextReading(page, run);
    assert.deepEqual([network, side], ['regnetz_swish_tiny', 96]);
  });
});

test('a description of another network is refused', async () => {
  await visit(here, DEBUG, async (page) => {
    const before = await reading(page);
    const card = { name: 'resnet50', input: [3, 96, 96], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    for (const [network, expected] of [
      ['resnext_tiny', 'resnext_tiny'],
      ['regnetz_relu_tiny', 'regnetz_relu_tiny or regnetz_swish_tiny'],
    ]) {
      await dropAll(page, [
        { name: 'mystery.json', bytes: Buffer.from(JSON.stringify(card)), type: 'application/json' },
        { name: 'mystery.safetensors', bytes: await checkpoint(network) },
      ]);
      const notice = page.getByTestId('notice');
      await notice.filter({ hasText: `beside the weights is of resnet50, not of ${expected}.` }).waitFor();
      await ready(page);
      assert.equal(await notice.getAttribute('data-tone'), 'error');
      assert.equal(await page.getByTestId('puzzle').count(), 0);
      assert.deepEqual(await reading(page), before, 'what was on screen stays');
      await notice.getByRole('button').click();
    }
  });
});

test('weights that fit nothing are held against the nearest network', async () => {
  await visit(here, DEBUG, async (page) => {
    const before = await reading(page);
    const bytes = await checkpoint('resnext_tiny');
    // The same length, so that the rest of the file still holds.
    const renamed = Buffer.from(bytes.toString('latin1').replace('layer1.0.conv1.weight', 'layer1.0.conv9.weight'), 'latin1');
    await drop(page, renamed, 'odd.safetensors');
    const puzzle = page.getByTestId('puzzle');
    await puzzle.waitFor();
    const text = await puzzle.textContent();
    for (const part of ['odd.safetensors', 'ResNeXt-tiny', 'layer1.0.conv1.weight', 'layer1.0.conv9.weight']) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    assert.deepEqual(await reading(page), before, 'what was on screen stays');
    await page.getByTestId('puzzle-close').click();
    assert.equal(await puzzle.count(), 0);
    assert.equal(await focused(page), 'network', 'the focus does not go with the card');
  });
});

test('a damaged checkpoint is told of and takes nothing away', async () => {
  await visit(here, DEBUG, async (page) => {
    const before = await reading(page);
    const bytes = await checkpoint('resnext_tiny');
    const nan = Buffer.from(bytes);
    nan.fill(0xff, nan.length - 4);
    for (const [name, damaged] of [
      ['short', bytes.subarray(0, bytes.length / 2)],
      ['empty', Buffer.alloc(0)],
      ['nan', nan],
    ]) {
      await drop(page, damaged, `${name}.safetensors`);
      const notice = page.getByTestId('notice');
      await notice.filter({ hasText: /checkpoint/ }).waitFor();
      await ready(page);
      assert.equal(await notice.getAttribute('data-tone'), 'error');
      assert.deepEqual(await reading(page), before);
      assert.equal(await page.getByTestId('variant').inputValue(), 'resnest_tiny');
      await notice.getByRole('button').click();
    }
  });
});

test('the side of the input is free, odd numbers too', async () => {
  await visit(here, DEBUG, async (page) => {
    const cells = () => page.getByTestId('unit').first().locator('.unit-cells').textContent();
    const resize = async (side) => {
      const { run } = await reading(page);
      await page.getByTestId('side').fill(String(side));
      await page.getByTestId('side').press('Enter');
      return nextReading(page, run);
    };
    const own = await reading(page);
    assert.equal((await resize(96)).side, 96);
    assert.equal(await cells(), '48 × 48');
    assert.equal((await resize(65)).side, 65);
    assert.equal(await cells(), '33 × 33');
    assertClose((await resize(64)).logits, own.logits, 0, 'the weights’ own side again');

    await page.getByTestId('side').fill('4096');
    await page.getByTestId('side').press('Enter');
    const notice = page.getByTestId('notice');
    await notice.waitFor();
    const [, largest] = (await notice.textContent()).match(/up to (\d+) × \1 pixels fit/);
    assert.ok(largest > 1000 && largest < 4096, largest);
    assert.equal(await page.getByTestId('side').inputValue(), '64');
    assert.deepEqual((await reading(page)).logits, own.logits);

    await page.getByTestId('side').fill('7');
    await page.getByTestId('side').press('Enter');
    await notice.filter({ hasText: 'The input can be 32 to 4096 pixels wide.' }).waitFor();
    assert.equal(await page.getByTestId('side').inputValue(), '64', 'what no network can see is not taken');

    await notice.getByRole('button').click();
    await page.getByTestId('side').dispatchEvent('paste');
    await page.waitForTimeout(200);
    assert.equal(await notice.count(), 0, 'a number that is pasted is for the field alone');
    await page.getByTestId('side').fill('');
    await page.getByTestId('side').pressSequentially('1-2');
    await page.getByTestId('side').press('Enter');
    await notice.filter({ hasText: 'The input can be 32 to 4096 pixels wide.' }).waitFor();
    assert.equal(await page.getByTestId('side').inputValue(), '64', 'what is no number is not taken');
  });
});

test('a checkpoint that nobody knows, dropped while the first picture is read, leaves it to be read', async () => {
  const samples = /samples\/[^/]*\.(jpg|png|webp)$/;
  // Not what the row of samples shows.
  const isRead = (request) => request.resourceType() === 'fetch' && samples.test(request.url());
  const held = async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await route.continue();
  };
  let asked;
  const prepare = (page) => {
    asked = page.waitForRequest(isRead, { timeout: PATIENCE });
    return page.route(samples, held);
  };
  const { page } = await open(here, { ...DEBUG, prepare });
  // The page reads its first picture while shaders are compiled.
  await asked;
  await drop(page, Buffer.alloc(100), 'unknown.safetensors');
  await page.waitForFunction(() => window.splitlens.reading()?.network === 'resnest_tiny', null, { timeout: PATIENCE });
  await ready(page);
  await page.context().close();
});

test('a checkpoint that nobody knows, dropped while the page opens, takes nothing away', async () => {
  const { page } = await open(here, DEBUG);
  await page.getByTestId('progress').waitFor();
  await drop(page, Buffer.alloc(100), 'unknown.safetensors');
  await page.waitForFunction(() => window.splitlens.reading()?.network === 'resnest_tiny', null, { timeout: PATIENCE });
  await ready(page);
  await page.context().close();
});
