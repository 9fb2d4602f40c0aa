// A network without units of attention: the page shows its feature maps by group, and says why.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, nextReading, pixels, reading, site, visit } from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const here = site();

/** The page with a network open whose weights are made up. */
const withNetwork = (network, use) =>
  visit(here, { query: '?debug=1' }, async (page) => {
    const { run } = await reading(page);
    await drop(page, await checkpoint(network), `${network}.safetensors`);
    assert.equal((await nextReading(page, run)).network, network);
    await page.locator('[data-testid=group]').nth(network === 'resnet_tiny' ? 0 : 1).waitFor();
    await use(page);
  });

const values = (page, testid, name) =>
  page.getByTestId(testid).evaluateAll((all, name) => all.map((one) => one.getAttribute(name)), name);

const numbers = (texts) => texts.map((text) => Number(text.replace('−', '-')));

test('layers and a feature map for each group stand in place of units and gates, with the reason', async () => {
  await withNetwork('resnext_tiny', async (page) => {
    assert.deepEqual((await reading(page)).units, []);
    assert.equal(await page.getByTestId('unit').count(), 0);
    assert.equal(await page.getByTestId('strip').count(), 0);
    assert.equal(await page.getByTestId('layer').count(), 8);
    assert.equal((await values(page, 'layer', 'data-name'))[0], 'layer1.0.conv2');
    assert.deepEqual(await values(page, 'group', 'data-group'), ['mean', '0', '1', '2', '3', '4', '5', '6', '7']);
    assert.deepEqual(await values(page, 'view', 'data-value'), ['features', 'class']);
    const why = await page.getByTestId('why').innerText();
    assert.match(why, /has no attention.*cardinality is 8/);
  });
});

test('one group is one map', async () => {
  await withNetwork('resnet_tiny', async (page) => {
    assert.deepEqual(await values(page, 'group', 'data-group'), ['mean']);
    assert.match(await page.getByTestId('why').innerText(), /one group/);
  });
});

test('a layer, a group and the class each change the picture', async () => {
  await withNetwork('resnext_tiny', async (page) => {
    const seen = new Set([await pixels(page, 'heatmap')]);
    const look = async (what) => {
      const count = seen.size;
      await page.waitForTimeout(200);
      seen.add(await pixels(page, 'heatmap'));
      assert.equal(seen.size, count + 1, what);
    };
    await page.locator('[data-testid=layer][aria-checked=false]').first().click();
    await look('layer');
    await page.locator('[data-testid=group][data-group="3"]').click();
    await look('group');
    assert.match(await page.getByTestId('explain').innerText(), /^Group 4 \(channels \d+ to \d+\) of layer/);
    await page.locator('[data-testid=view][data-value=class]').click();
    await look('class');
    assert.equal(await page.locator('[data-testid=group][aria-checked=true]').count(), 0);
  });
});

test('toggling keeps the place in the depth, and brings back the view that had no meaning here', async () => {
  await visit(here, { query: '?debug=1' }, async (page) => {
    const chosen = (testid) => page.locator(`[data-testid=${testid}]`).and(page.locator('[aria-checked=true]'));
    const view = () => page.locator('[data-testid=view][aria-selected=true]').getAttribute('data-value');
    await page.locator('[data-testid=unit][data-name="layer2.1.conv2"]').click();
    await page.locator('[data-testid=view][data-value=share]').click();
    const { run } = await reading(page);
    await drop(page, await checkpoint('resnext_tiny'), 'resnext_tiny.safetensors');
    const there = await nextReading(page, run);
    assert.equal(await chosen('layer').getAttribute('data-name'), 'layer2.1.conv2');
    assert.equal(await view(), 'features');
    await page.locator('[data-testid=layer][data-name="layer3.0.conv2"]').click();
    // Not by keys: the view would give way to networks with one branch on the way.
    await page.locator('[data-testid=family][data-value=resnest]').click();
    assert.equal((await nextReading(page, there.run)).network, 'resnest_tiny');
    assert.equal(await chosen('unit').getAttribute('data-name'), 'layer3.0.conv2');
    assert.equal(await view(), 'share');
  });
});

test('keys walk layers and groups', async () => {
  await withNetwork('resnext_tiny', async (page) => {
    const layer = () => page.locator('[data-testid=layer][aria-checked=true]').getAttribute('data-unit');
    const group = () => page.locator('[data-testid=group][aria-checked=true]').getAttribute('data-group');
    await page.locator('[data-testid=layer][data-unit="2"]').click();
    await page.locator('[data-testid=group][data-group="0"]').waitFor();
    for (const [key, expected] of [['ArrowDown', '0'], ['ArrowDown', '1'], ['ArrowUp', '0']]) {
      await page.keyboard.press(key);
      assert.equal(await group(), expected, key);
    }
    await page.keyboard.press('ArrowRight');
    assert.deepEqual([await layer(), await group()], ['3', 'mean'], 'another layer begins with its mean');
  });
});

test('the mean of a layer is the mean of its groups', async () => {
  await withNetwork('resnext_tiny', async (page) => {
    await page.getByTestId('groups-table').click();
    const groups = numbers(await page.locator('.gates .table-scroll tbody td:nth-of-type(1)').allInnerTexts());
    assert.equal(groups.length, 8);
    await page.getByTestId('layers-table').click();
    const name = await page.locator('[data-testid=layer][aria-checked=true]').getAttribute('data-name');
    const row = page.locator('.depth .table-scroll tbody tr').filter({ hasText: name });
    const [mean] = numbers([await row.locator('td').last().innerText()]);
    const found = groups.reduce((sum, value) => sum + value) / groups.length;
    // Three digits are shown.
    assert.ok(Math.abs(found - mean) < 0.01 * Math.max(...groups.map(Math.abs)), `${found} and ${mean}`);
  });
});
