// Gates replaced on the page: the network goes on from them as PyTorch does, and everything is set against the
// untouched run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PATIENCE,
  assertClose,
  drop,
  file,
  nextReading,
  pixels,
  reading,
  ready,
  screenshot,
  site,
  visit,
} from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const here = site();
const DEBUG = { query: '?debug=1' };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

/** Does something and waits for the run that it leads to. */
async function after(page, act) {
  const { run } = await reading(page);
  await act();
  return nextReading(page, run);
}

/** Opens a golden picture. */
const show = async (page, image) =>
  after(page, async () => drop(page, await file(`tests/golden/${image}`), image, 'image/png'));

const segment = (page, testid, value) => page.locator(`[data-testid="${testid}"][data-value="${value}"]`);
const chosen = (page, testid) => page.locator(`[data-testid="${testid}"][aria-checked="true"]`).getAttribute('data-value');
const choose = (page, how) => after(page, () => segment(page, 'gates-how', how).click());
const chooseUnit = (page, name) => page.locator(`[data-testid="unit"][data-name="${name}"]`).click();
const giveBack = (page) => after(page, () => page.getByTestId('give-back').click());
const weight = (page, branch) => page.locator(`[data-testid="gate-weight"][data-branch="${branch}"]`);
const notes = (page) => page.getByTestId('unit-note').allTextContents();

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Fails unless a reading's logits and mean gates are PyTorch's with the same replacement. */
async function assertLikePyTorch(found, gates) {
  const golden = JSON.parse(await file('tests/golden/what_if.json'));
  const expected = golden.cases.find((one) => one.gates === gates);
  assertClose(found.logits, expected.logits, 1e-3, `${gates} logits`);
  found.units.forEach(({ name, attention }, index) => {
    assert.equal(name, expected.units[index].name);
    assertClose(attention.map(mean), expected.units[index].mean, 1e-4, `${gates} ${name}`);
  });
}

test('replaced gates lead where they lead in PyTorch, and given back they lead home', async () => {
  const { image } = JSON.parse(await file('tests/golden/what_if.json'));
  await visit(here, DEBUG, async (page) => {
    const own = await show(page, image);
    assert.deepEqual([own.replaced, own.untouched], [[], null]);
    assert.equal(await page.getByTestId('replaced').count(), 0);
    const map = await pixels(page, 'heatmap');

    await segment(page, 'gates-scope', 'all').click();
    const uniform = await choose(page, 'uniform');
    await assertLikePyTorch(uniform, 'all=uniform');
    assert.deepEqual(uniform.replaced, ['all=uniform']);
    assert.deepEqual(uniform.untouched, own.logits);
    assert.match(await page.getByTestId('replaced').textContent(), /^Gates replaced: all units uniform/);
    assert.notEqual(await pixels(page, 'heatmap'), map);
    for (const unit of uniform.units) assert.ok(unit.residual < 1e-5, `${unit.name}: ${unit.residual}`);

    const back = await giveBack(page);
    assert.deepEqual([back.logits, back.units, back.replaced], [own.logits, own.units, []]);
    assert.equal(await pixels(page, 'heatmap'), map);
    assert.equal(await page.getByTestId('replaced').count(), 0);
    assert.equal(await page.getByTestId('give-back').count(), 0);

    await segment(page, 'gates-scope', 'unit').click();
    await chooseUnit(page, 'layer2.0.conv2');
    const swapped = await choose(page, 'swap');
    await assertLikePyTorch(swapped, 'layer2.0.conv2=swap');
    assert.deepEqual(swapped.replaced, ['layer2.0.conv2=swap']);

    await choose(page, 'hand');
    const run = await after(page, () => weight(page, 0).fill('0.2'));
    assert.ok(run.replaced[0].startsWith('layer2.0.conv2=0.2/'), run.replaced[0]);
    await assertLikePyTorch(await after(page, () => weight(page, 1).fill('0.9')), 'layer2.0.conv2=0.2/0.9');
    assert.match(await page.getByTestId('gates-say').textContent(), /add up to 1\.10: charts cut them off/);
    await after(page, () => page.getByTestId('give-back-here').click());
    assert.deepEqual((await reading(page)).logits, own.logits);
  });
});

test('a branch that is shut is dark on the scale of its unit', async () => {
  await visit(here, DEBUG, async (page) => {
    await choose(page, 'branch:2');
    await page.locator('[data-testid="branch"][data-value="0"]').click();
    const [low, high] = await Promise.all(['legend-low', 'legend-high'].map((end) => page.getByTestId(end).textContent()));
    assert.equal(low, '0');
    assert.ok(Number(high) > 0, high);
    const rgba = (await pixels(page, 'heatmap')).split(',').map(Number);
    assert.ok(rgba.every((value, i) => i % 4 === 3 || value < 30), 'inferno begins at black');
  });
});

test('later gates change and earlier ones do not, and the rail says so', async () => {
  await visit(here, DEBUG, async (page) => {
    const own = await reading(page);
    await chooseUnit(page, 'layer2.0.conv2');
    const found = await choose(page, 'branch:2');
    const at = found.units.findIndex((unit) => unit.name === 'layer2.0.conv2');
    const said = await notes(page);
    found.units.forEach(({ name, attention }, index) => {
      const same = JSON.stringify(attention) === JSON.stringify(own.units[index].attention);
      assert.equal(same, index < at, name);
      assert.match(said[index], index < at ? /^same$/ : index === at ? /^replaced$/ : /^Δ [<\d.]+$/, name);
    });
    const label = (index) => page.getByTestId('unit').nth(index).getAttribute('aria-label');
    assert.match(await label(at), /replaced: branch 2 alone/);
    assert.match(await label(at - 1), /the same as untouched/);
    const moved = mean(found.units[at + 1].attention.flat().map((gate, i) => Math.abs(gate - own.units[at + 1].attention.flat()[i])));
    assert.match(await label(at + 1), new RegExp(`on average ${moved.toFixed(2)} from untouched`));

    await page.getByTestId('depth-table').click();
    const row = page.locator('.depth tbody tr').nth(at);
    assert.match(await row.textContent(), /branch 2 alone/);
    const explained = page.getByTestId('explain-replaced');
    assert.match(await explained.textContent(), /This unit’s gates are replaced \(branch 2 alone\)/);
    await chooseUnit(page, own.units[at - 1].name);
    assert.match(await explained.textContent(), /only after this unit/);
    await chooseUnit(page, own.units[at + 1].name);
    assert.match(await explained.textContent(), /replaced before it/);
    assert.equal(await chosen(page, 'gates-how'), 'own', 'the unit that is looked at has its own gates');
  });
});

test('the list sets every class against the untouched run, those that fell out of it too', async () => {
  await visit(here, DEBUG, async (page) => {
    const own = await reading(page);
    const five = (testid) =>
      page.getByTestId(testid).evaluateAll((all) => all.map(({ dataset }) => [dataset.index, dataset.probability, dataset.untouched]));
    const before = await five('top');
    await segment(page, 'gates-scope', 'all').click();
    const found = await choose(page, 'uniform');
    const [top, fallen] = [await five('top'), await five('fallen')];
    assert.equal(top.length, 5);
    const listed = new Set([...top, ...fallen].map(([index]) => index));
    assert.ok(before.every(([index]) => listed.has(index)), 'the union of both lists');
    assert.equal(listed.size, top.length + fallen.length, 'no class twice');
    assert.ok(fallen.length > 0, 'a picture whose list changes');

    const softmax = (logits) => {
      const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    };
    const [now, then] = [softmax(found.logits), softmax(own.logits)];
    for (const [index, probability, untouched] of [...top, ...fallen]) {
      assertClose([Number(probability), Number(untouched)], [now[index], then[index]], 2e-6, `class ${index}`);
    }
    const change = await page.getByTestId('top').first().locator('.top-change').textContent();
    const expected = (now[top[0][0]] - then[top[0][0]]) * 100;
    assert.ok(Math.abs(Number(change.match(/[\d.]+/)[0]) - Math.abs(expected)) < 0.06, `${change}, expected ${expected}`);
    assert.match(change, expected < 0 ? /^−/ : /^\+/);
    const percent = (part) => `${(part * 100).toFixed(1)}\u00a0%`;
    const effect = await page.getByTestId('gates-effect').textContent();
    for (const part of [percent(now[top[0][0]]), percent(then[top[0][0]])]) assert.ok(effect.includes(part), effect);
  });
});

test('another picture keeps the replacement and is run both ways', async () => {
  const { images } = JSON.parse(await file('tests/golden/resnest_tiny.json'));
  await visit(here, DEBUG, async (page) => {
    await segment(page, 'gates-scope', 'all').click();
    await choose(page, 'swap');
    for (const { file: image, logits } of images.slice(1)) {
      const found = await show(page, image);
      assert.deepEqual(found.replaced, ['all=swap']);
      assertClose(found.untouched, logits, 1e-3, `${image} untouched`);
      assert.ok(Math.max(...found.logits.map((logit, i) => Math.abs(logit - logits[i]))) > 0.1, `${image} replaced`);
      assert.equal(await chosen(page, 'gates-how'), 'swap');
    }
  });
});

test('another network keeps what is said of all units, if it can, and says what it does not', async () => {
  await visit(here, DEBUG, async (page) => {
    const notice = page.getByTestId('notice');
    await chooseUnit(page, 'layer2.0.conv2');
    await choose(page, 'uniform');
    await segment(page, 'gates-scope', 'all').click();
    await choose(page, 'swap');
    const dropNetwork = (network) =>
      after(page, async () => drop(page, await checkpoint(network), `${network}.safetensors`));

    const two = await dropNetwork('sknet_tiny');
    assert.deepEqual([two.network, two.replaced], ['sknet_tiny', ['all=swap']]);
    assert.match(await notice.textContent(), /unit by unit stay behind/);

    const one = await dropNetwork('seresnext_tiny');
    assert.deepEqual([one.network, one.replaced], ['seresnext_tiny', []]);
    assert.match(await notice.textContent(), /has a single branch, so there is nothing to swap/);
    assert.equal(await segment(page, 'gates-how', 'swap').count(), 0);
    const open = await choose(page, 'branch:1');
    for (const { name, attention } of open.units) assert.ok(attention.flat().every((gate) => gate === 1), name);

    const none = await dropNetwork('resnext_tiny');
    assert.deepEqual([none.network, none.replaced, none.untouched], ['resnext_tiny', [], null]);
    assert.match(await notice.textContent(), /no unit of attention/);
    assert.equal(await page.getByTestId('what-if').count(), 0);
  });
});

test('feature maps belong to the run that is shown', async () => {
  await visit(here, DEBUG, async (page) => {
    await chooseUnit(page, 'layer3.1.conv2');
    await page.getByTestId('strip-slider').press('End');
    const maps = () => page.getByTestId('feature-map').evaluateAll((all) => all.map((canvas) => canvas.toDataURL()).join());
    const settled = async (unlike) => {
      await page.waitForFunction(
        (unlike) => [...document.querySelectorAll('[data-testid="feature-map"]')].map((c) => c.toDataURL()).join() !== unlike,
        unlike,
        { timeout: PATIENCE },
      );
      return maps();
    };
    await page.waitForTimeout(500);
    const own = await maps();
    await segment(page, 'gates-scope', 'all').click();
    await choose(page, 'branch:1');
    const replaced = await settled(own);
    await giveBack(page);
    assert.equal(await settled(replaced), own);
  });
});

test('a slider that is dragged ends at its last value', async () => {
  await visit(here, DEBUG, async (page) => {
    await choose(page, 'hand');
    const before = await reading(page);
    await weight(page, 0).evaluate((slider) => {
      for (let step = 0; step <= 40; step++) {
        slider.value = String(step / 100);
        slider.dispatchEvent(new Event('input', { bubbles: true }));
      }
    });
    await page.waitForFunction(() => window.splitlens.reading().replaced[0].includes('=0.4/'), null, { timeout: PATIENCE });
    await ready(page);
    const { run, units } = await reading(page);
    assert.ok(run - before.run <= 3, `${run - before.run} runs for 41 values`);
    assert.ok(units.some((unit) => unit.attention[0].every((gate) => Math.abs(gate - 0.4) < 1e-6)));
    assert.equal(await weight(page, 0).inputValue(), '0.4');
  });
});

test('keys alone will do', async () => {
  await visit(here, DEBUG, async (page) => {
    await segment(page, 'gates-how', 'own').focus();
    const found = await after(page, () => page.keyboard.press('ArrowRight'));
    assert.match(found.replaced[0], /=uniform$/);
    await after(page, () => page.keyboard.press('End'));
    const unit = await page.locator('[data-testid="unit"][aria-checked="true"]').getAttribute('data-unit');
    await page.keyboard.press('Tab');
    const slid = await after(page, () => page.keyboard.press('ArrowRight'));
    assert.ok(slid.replaced[0].endsWith('=0.51/0.5'), slid.replaced[0]);
    assert.equal(await page.locator('[data-testid="unit"][aria-checked="true"]').getAttribute('data-unit'), unit);
    await page.getByTestId('give-back').focus();
    assert.deepEqual((await after(page, () => page.keyboard.press('Enter'))).replaced, []);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'what-if-title', 'the focus stays in the panel');
  });
});

test('gates can be replaced after the device was lost', async () => {
  await visit(here, { query: '?debug=1&lose=1' }, async (page) => {
    await page.getByTestId('notice').filter({ hasText: /was lost/ }).waitFor({ timeout: PATIENCE });
    await ready(page);
    await segment(page, 'gates-scope', 'all').click();
    assert.deepEqual((await choose(page, 'uniform')).replaced, ['all=uniform']);
  });
});

for (const [name, context] of [
  ['what-if-wide-light', {}],
  ['what-if-wide-dark', { colorScheme: 'dark' }],
  ['what-if-phone-light', PHONE],
  ['what-if-phone-dark', { ...PHONE, colorScheme: 'dark' }],
]) {
  test(`fits the screen: ${name}`, async () => {
    await visit(here, { ...DEBUG, ...context }, async (page) => {
      await segment(page, 'gates-scope', 'all').click();
      await choose(page, 'uniform');
      await segment(page, 'gates-scope', 'unit').click();
      await choose(page, 'hand');
      await after(page, () => weight(page, 0).fill('0.8'));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
      if (context.hasTouch) {
        const controls = page.locator('.what-if button, .what-if input, .replaced button');
        for (const { height, what } of await controls.evaluateAll((all) =>
          all.map((one) => ({ height: one.getBoundingClientRect().height, what: one.dataset.testid })),
        )) {
          assert.ok(height >= 44, `${what} is ${height} px high`);
        }
      }
      await screenshot(page, name);
      // What is on the screen while the sliders are moved.
      await page.getByTestId('what-if').scrollIntoViewIfNeeded();
      const picture = await page.getByTestId('frame').boundingBox();
      if (context.hasTouch) assert.ok(picture.y >= 0 && picture.height > 200, 'the picture stays in view');
    });
  });
}
