// Measuring on the page: what is told is of this network, and nothing else is lost by it. No time is compared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, nextReading, PATIENCE, pixels, reading, site, visit, walkTo } from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const here = site();

const panel = (page) => page.getByTestId('speed');
const runs = async (page) => Number(await panel(page).getAttribute('data-runs'));
const button = (page) => page.getByTestId('measure');

/** Waits until so many runs are measured. */
const measured = (page, runs) =>
  page.waitForFunction(
    (runs) => Number(document.querySelector('[data-testid=speed]').dataset.runs) >= runs,
    runs,
    { timeout: PATIENCE },
  );

const idle = (page) =>
  page.waitForFunction(() => document.querySelector('[data-testid=measure]').textContent === 'Measure', null, {
    timeout: PATIENCE,
  });

/** Opens the panel and measures to the end. */
async function measure(page) {
  if (!(await panel(page).evaluate((panel) => panel.open))) await panel(page).locator('summary').first().click();
  await button(page).click();
  await measured(page, 7);
  await idle(page);
}

/** The rows of a table, cell by cell. */
const rows = (page, testid) =>
  page
    .getByTestId(testid)
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

const sum = (numbers) => numbers.reduce((sum, number) => sum + Number(number), 0);

test('every part of the network has a time, and all dispatches are told of', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const [before, map] = [await reading(page), await pixels(page, 'heatmap')];
    assert.equal(await runs(page), 0);
    await measure(page);
    assert.equal(await runs(page), 7);
    assert.match(await page.getByTestId('speed-total').innerText(), /^[\d.]+\s(ms|s) for an image.*median of 7 runs/);
    const parts = await rows(page, 'speed-parts');
    const names = parts.map(([name]) => name);
    assert.deepEqual([names[0], names[1], ...names.slice(-2)], ['stem', 'layer1.0', 'head', 'maps']);
    for (const [name, time] of parts) assert.match(time, /^(< )?[\d.]+\s(ms|s)$/, name);
    const taken = await page.getByTestId('speed-taken').innerText();
    const dispatches = sum(parts.map((row) => row[3]));
    const pipelines = await rows(page, 'speed-pipelines');
    assert.equal(sum(pipelines.map((row) => row[1])), dispatches);
    assert.match(taken, new RegExp(`${dispatches} dispatches of ${pipelines.length} pipelines`));
    assert.match(taken, /timestamps, .*subgroups/);
    // The picture, its answer and what the device holds of the run are as they were.
    assert.deepEqual(await reading(page), before);
    assert.equal(await pixels(page, 'heatmap'), map);
    await page.locator('[data-testid=unit][aria-checked=false]').first().click();
    await page.locator('.thumbnail canvas').first().waitFor();
  });
});

test('measuring can be stopped, and keeps what it has', async () => {
  await visit(here, {}, async (page) => {
    await panel(page).locator('summary').first().click();
    await button(page).focus();
    await page.keyboard.press('Enter');
    await measured(page, 1);
    await page.keyboard.press('Enter');
    await idle(page);
    const stopped = await runs(page);
    assert.ok(stopped >= 1 && stopped < 7, `${stopped} runs`);
    await page.waitForTimeout(500);
    assert.equal(await runs(page), stopped, 'no run comes after');
    assert.match(await page.getByTestId('speed-total').innerText(), stopped === 1 ? /one run/ : /median of/);
    await measure(page);
  });
});

test('what was measured goes with its network, and comes back with it', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    await measure(page);
    const { run } = await reading(page);
    await drop(page, await checkpoint('regnetx_tiny'), 'regnetx_tiny.safetensors');
    await nextReading(page, run);
    assert.equal(await runs(page), 0);
    assert.deepEqual(await rows(page, 'speed-parts'), []);
    await walkTo(page, 'resnest_tiny', '[');
    assert.equal(await runs(page), 7);
  });
});

test('with gates replaced the run that is shown stays on the device', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const { run } = await reading(page);
    await page.locator('[data-testid=gates-how][data-value=uniform]').click();
    const replaced = await nextReading(page, run);
    await measure(page);
    assert.deepEqual(await reading(page), replaced);
    await page.locator('[data-testid=unit][aria-checked=false]').first().click();
    await page.locator('.thumbnail canvas').first().waitFor();
  });
});

test('an adapter without a clock gets a total and a sentence', async () => {
  const prepare = (page) =>
    page.addInitScript(() => {
      const features = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'features');
      const get = function () {
        return new Set([...features.get.call(this)].filter((name) => name !== 'timestamp-query'));
      };
      Object.defineProperty(GPUAdapter.prototype, 'features', { get });
    });
  await visit(here, { prepare }, async (page) => {
    await measure(page);
    assert.match(await page.getByTestId('speed-total').innerText(), /median of 7 runs/);
    assert.deepEqual(await rows(page, 'speed-parts'), []);
    assert.match(await page.getByTestId('speed-parts').innerText(), /no clock/);
    assert.match(await page.getByTestId('speed-taken').innerText(), /no timestamps/);
  });
});

test('a clock that goes wrong is not believed', async () => {
  // Starts are written where ends belong.
  const prepare = (page) =>
    page.addInitScript(() => {
      const pass = GPUCommandEncoder.prototype.beginComputePass;
      GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
        const writes = descriptor?.timestampWrites;
        if (!writes) return pass.call(this, descriptor);
        const { querySet, beginningOfPassWriteIndex: start, endOfPassWriteIndex: end } = writes;
        const swapped = { querySet, beginningOfPassWriteIndex: end, endOfPassWriteIndex: start };
        return pass.call(this, { timestampWrites: swapped });
      };
    });
  await visit(here, { prepare }, async (page) => {
    await measure(page);
    const parts = await rows(page, 'speed-parts');
    assert.ok(parts.length > 0 && parts.every(([, time]) => time === 'clock wrong'), JSON.stringify(parts));
    assert.match(await panel(page).innerText(), /the clock went wrong/);
  });
});

test('a kernel has one shader module, however many pipelines it has', async () => {
  const prepare = (page) =>
    page.addInitScript(() => {
      window.modules = [];
      const create = GPUDevice.prototype.createShaderModule;
      GPUDevice.prototype.createShaderModule = function (descriptor) {
        window.modules.push(descriptor.label);
        return create.call(this, descriptor);
      };
    });
  await visit(here, { prepare }, async (page) => {
    const modules = await page.evaluate(() => window.modules);
    assert.ok(modules.length > 1);
    assert.deepEqual([...new Set(modules)], modules);
  });
});

test('kernels that were tried out are named, and forgotten on request', async () => {
  await visit(here, { query: '?tuning=measure' }, async (page) => {
    const kept = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('kernels')).length);
    const taken = () => page.getByTestId('speed-taken').innerText();
    await panel(page).locator('summary').first().click();
    assert.equal(await kept(), 1);
    assert.match(await taken(), /\w+-\w+-\w+, found by trying and remembered/);
    await page.getByTestId('forget').click();
    await page.getByTestId('forget').waitFor({ state: 'detached' });
    assert.equal(await kept(), 0);
    assert.match(await page.getByTestId('notice').innerText(), /Forgotten/);
    assert.doesNotMatch(await taken(), /remembered/);
  });
});
