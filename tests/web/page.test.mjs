// The page in a real browser: it opens, answers every kind of image, and shows what it says it shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertEqualsPyTorch,
  drop,
  file,
  nextReading,
  paste,
  pixels,
  prediction,
  reading,
  ready,
  screenshot,
  site,
  visit,
} from './browser.mjs';

const here = site();

const withPage = (options, use) => visit(here, options, use);

test('opens under a sub-path with a sample analysed and asks no other host', async () => {
  await withPage({}, async (page) => {
    assert.match(await page.getByTestId('status').textContent(), /^Analysed: bison/);
    assert.equal(await page.getByTestId('top').count(), 5);
    assert.equal(await page.getByTestId('unit').count(), 8);
    await screenshot(page, 'wide-light');
  });
});

for (const [name, context] of [
  ['wide-dark', { colorScheme: 'dark' }],
  ['phone-light', { viewport: { width: 390, height: 844 }, hasTouch: true }],
  ['phone-dark', { viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: 'dark' }],
]) {
  test(`fits the screen: ${name}`, async () => {
    await withPage(context, async (page) => {
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
      await screenshot(page, name);
    });
  });
}

test('fits the narrowest phone', async () => {
  await withPage({ viewport: { width: 360, height: 640 }, hasTouch: true }, async (page) => {
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
  });
});

test('every pipeline compiles', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    const compiled = await page.evaluate(() => window.splitlens.compileAll());
    // Fourteen kernels without overrides, conv in 2 x 2 x 4 forms, pointwise in 3 x 4, both with textures and with quads
    // again, conv with pairs in 2 x 4, depthwise ones in 2 x 2 x 4, two in 4 each.
    assert.equal(compiled, 14 + 3 * (16 + 12) + 8 + 16 + 2 * 4);
  });
});

test('logits and attention equal PyTorch', async () => {
  await withPage({ query: '?debug=1' }, assertEqualsPyTorch);
});

test('a dropped file, a pasted one, a chosen one and a sample each change the prediction', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    let { run } = await reading(page);
    const answers = [await prediction(page)];
    const panda = await file('static/samples/red_panda.jpg');
    const gate = await file('static/samples/brandenburg_gate.jpg');
    const koala = await file('static/samples/koala.jpg');
    const ways = [
      () => drop(page, panda, 'panda.jpg', 'image/jpeg'),
      () => paste(page, gate, 'gate.jpg', 'image/jpeg'),
      () => page.getByTestId('file-input').setInputFiles({ name: 'koala.jpg', mimeType: 'image/jpeg', buffer: koala }),
      () => page.locator('[data-testid=sample][data-sample="coffee.jpg"]').click(),
    ];
    for (const way of ways) {
      await way();
      run = (await nextReading(page, run)).run;
      answers.push(await prediction(page));
    }
    assert.equal(new Set(answers).size, 5, answers.join());
  });
});

test('a unit, a branch and a kind of map each change the picture', async () => {
  await withPage({}, async (page) => {
    const seen = new Set([await pixels(page, 'heatmap')]);
    const look = async (what) => {
      const count = seen.size;
      await page.waitForTimeout(100);
      seen.add(await pixels(page, 'heatmap'));
      assert.equal(seen.size, count + 1, what);
    };
    await page.locator('[data-testid=unit][aria-checked=false]').first().click();
    await look('unit');
    await page.locator('[data-testid=branch]:not([aria-selected=true]):not([aria-checked=true])').first().click();
    await look('branch');
    for (const view of ['share', 'difference', 'activation', 'class']) {
      await page.locator(`[data-testid=view][data-value=${view}]`).click();
      await look(view);
    }
  });
});

test('Escape hides the explanation of a word until the next is asked for', async () => {
  await withPage({}, async (page) => {
    const [word, meaning] = ['term-word', 'term-meaning'].map((name) => page.locator(`.explain .${name}`).first());
    await word.focus();
    await meaning.waitFor({ state: 'visible' });
    await page.keyboard.press('Escape');
    await meaning.waitFor({ state: 'hidden' });
    await page.getByTestId('opacity').focus();
    await word.hover();
    await meaning.waitFor({ state: 'visible' });
    await page.keyboard.press('Escape');
    await meaning.waitFor({ state: 'hidden' });
  });
});

test('a scale that is held stays for other pictures and units, and for its own kind of map', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    const ends = async () => {
      await page.waitForTimeout(100);
      return (await page.locator('.legend-numbers').textContent()).trim();
    };
    const isHeld = () => page.getByTestId('hold').isChecked();
    const view = (name) => page.locator(`[data-testid=view][data-value=${name}]`).click();
    const found = await ends();
    await page.getByTestId('hold').check();
    const { run } = await reading(page);
    await page.locator('[data-testid=sample][data-sample="coffee.jpg"]').click();
    await nextReading(page, run);
    await page.locator('[data-testid=unit][aria-checked=false]').first().click();
    assert.equal(await ends(), found);
    await view('activation');
    assert.notEqual(await ends(), found);
    assert.equal(await isHeld(), false);
    await view('contribution');
    assert.equal(await ends(), found);
    await page.locator('[data-testid=scope][data-value=unit]').click();
    assert.notEqual(await ends(), found);
    assert.equal(await isHeld(), false, 'who asks for another scale gets it');
  });
});

test('branch maps add up to the output of every unit', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    const { units } = await reading(page);
    for (const unit of units) assert.ok(unit.residual < 1e-5, `${unit.name}: ${unit.residual}`);
    assert.ok(Math.max(...units.map((unit) => unit.residual)) > 0, 'a sum of floats that is exact everywhere');
    const shown = await page.getByTestId('residual').getAttribute('data-relative');
    assert.ok(units.some((unit) => Math.abs(unit.residual - Number(shown)) < 1e-9), shown);
  });
});

test('gates of a channel add up to one', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    for (const { name, attention } of (await reading(page)).units) {
      attention[0].forEach((gate, channel) => {
        assert.ok(Math.abs(gate + attention[1][channel] - 1) < 1e-5, `${name}, channel ${channel}`);
      });
    }
  });
});

test('keys walk units, branches and cells', async () => {
  await withPage({}, async (page) => {
    const unit = () => page.locator('[data-testid=unit][aria-selected=true], [data-testid=unit][aria-checked=true], [data-testid=unit][aria-pressed=true], [data-testid=unit][aria-current=true]').getAttribute('data-unit');
    await page.locator('[data-testid=unit][data-unit="3"]').click();
    assert.equal(await unit(), '3');
    await page.keyboard.press('ArrowRight');
    assert.equal(await unit(), '4');
    await page.getByTestId('frame').focus();
    await page.keyboard.press('ArrowRight');
    assert.match(await page.getByTestId('value').textContent(), /\d/);
  });
});

test('keys that type a character can be switched off, and stay off', async () => {
  await withPage({}, async (page) => {
    const view = () => page.locator('[data-testid=view][aria-selected=true]').textContent();
    const first = await view();
    await page.keyboard.press('2');
    assert.notEqual(await view(), first);
    await page.keyboard.press('?');
    await page.getByTestId('character-keys').uncheck();
    await page.getByTestId('help-dialog').getByRole('button').click();
    await page.keyboard.press('1');
    assert.notEqual(await view(), first);
    await page.reload();
    await ready(page);
    await page.keyboard.press('?');
    assert.equal(await page.getByTestId('help-dialog').isVisible(), false);
    await page.getByTestId('help').click();
    assert.equal(await page.getByTestId('character-keys').isChecked(), false);
    await page.getByTestId('character-keys').check();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    assert.equal(await page.getByTestId('help-dialog').isVisible(), true);
  });
});

test('what the page needs first is asked for once, before the program runs', async () => {
  await withPage({ query: '?debug=1' }, async (page) => {
    const asked = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name, initiatorType }) => [new URL(name).pathname, initiatorType]),
    );
    const { network } = await reading(page);
    for (const file of ['samples/samples.json', `models/${network}.json`, 'models/classes.txt', `models/${network}.safetensors`]) {
      const ways = asked.filter(([path]) => path.endsWith(`/${file}`)).map(([, initiator]) => initiator);
      assert.deepEqual(ways, ['link'], file);
    }
  });
});
