// What the visitor does while a network is on its way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, nextReading, open, PATIENCE, reading, ready, site, visit } from './browser.mjs';

const here = site();

/** The page at work, with ResNeXt chosen whose weights are held back until `release`. */
async function withHeld(use) {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const hold = async (route) => {
    await held;
    // The page may have given it up meanwhile.
    await route.continue().catch(() => {});
  };
  const prepare = (page) => page.route('**/resnext_tiny.safetensors', hold);
  const { page, complaints } = await open(here, { query: '?debug=1', prepare });
  await page.waitForFunction(() => window.splitlens?.reading(), null, { timeout: PATIENCE });
  await ready(page);
  await page.locator('[data-testid=family][data-value=resnext]').click();
  await page.locator('[data-testid=progress][data-stage=download]').waitFor();
  await use(page, release);
  assert.deepEqual(complaints, []);
  await page.context().close();
}

const arrives = (page) =>
  page.waitForFunction(() => window.splitlens.reading()?.network === 'resnext_tiny', null, { timeout: PATIENCE });

test('a unit chosen before a network without units opens is not read from that', async () => {
  await withHeld(async (page, release) => {
    await page.getByTestId('unit').nth(3).click();
    release();
    await arrives(page);
    await ready(page);
    await page.locator('[data-testid=group][data-group="7"]').waitFor();
  });
});

test('a checkpoint that nobody knows does not take the place of what was chosen before it', async () => {
  await withHeld(async (page, release) => {
    await drop(page, Buffer.alloc(100), 'unknown.safetensors');
    await page.getByTestId('notice').filter({ hasText: /checkpoint/ }).waitFor();
    assert.equal((await reading(page)).network, 'resnest_tiny');
    release();
    await arrives(page);
    await ready(page);
    assert.equal(await page.getByTestId('variant').inputValue(), 'resnext_tiny');
  });
});

/** Presses "Stop" the moment that the page compiles or uploads, which may be a short one. */
const stopWhileSettingUp = (page) =>
  page.evaluate(() => {
    const observer = new MutationObserver(() => {
      const progress = document.querySelector('[data-testid=progress]');
      const stop = document.querySelector('[data-testid=stop]');
      if (stop && ['pipelines', 'upload'].includes(progress?.dataset.stage)) {
        observer.disconnect();
        stop.click();
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, attributes: true });
  });

test('compiling and uploading can be stopped, and go on when the network is asked for again', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const before = await reading(page);
    const choose = () => page.locator('[data-testid=family][data-value=sknet]').click();
    await stopWhileSettingUp(page);
    await choose();
    await page.getByTestId('notice').filter({ hasText: 'Stopped.' }).waitFor();
    await ready(page);
    assert.deepEqual(await reading(page), before);
    assert.equal(await page.getByTestId('variant').inputValue(), 'resnest_tiny');
    await choose();
    assert.equal((await nextReading(page, before.run)).network, 'sknet_tiny');
  });
});

test('a card that does not come can be stopped waiting for', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const before = await reading(page);
    await page.route('**/resnext_tiny.json', () => {});
    await page.locator('[data-testid=family][data-value=resnext]').click();
    await page.locator('[data-testid=progress][data-stage=card]').waitFor();
    await page.getByTestId('stop').click();
    await page.getByTestId('notice').filter({ hasText: 'Stopped.' }).waitFor();
    await ready(page);
    assert.deepEqual(await reading(page), before);
    assert.equal(await page.getByTestId('variant').inputValue(), 'resnest_tiny');
  });
});

test('a picture chosen while another is awaited takes its place, and the network stays wanted', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const { run } = await reading(page);
    const sample = (pressed) => page.locator(`[data-testid=sample][aria-pressed=${pressed}]`).first();
    const [awaited, chosen] = await Promise.all([true, false].map((shown) => sample(shown).getAttribute('data-sample')));
    await page.route(`**/samples/${awaited}`, () => {});
    await page.getByTestId('side').fill('96');
    await page.getByTestId('side').press('Enter');
    await page.locator('[data-testid=progress][data-stage=picture]').waitFor();
    await page.locator(`[data-testid=sample][data-sample="${chosen}"]`).click();
    assert.equal((await nextReading(page, run)).side, 96);
    assert.equal(await sample(true).getAttribute('data-sample'), chosen);
  });
});
