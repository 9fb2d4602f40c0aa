// Published checkpoints: loaded from a hub with a bar, through every trouble of a network, checked, kept, deleted.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertClose, drop, file, nextReading, open, PATIENCE, reading, ready, screenshot, site } from './browser.mjs';
import { COMMIT, downloads, ENTRY, serveHub } from './hub.mjs';

const here = site();
let hub;
before(async () => {
  hub = await serveHub();
});
after(() => hub?.close());

const text = (page, testid) => page.getByTestId(testid).textContent();
const kept = (page) => page.getByTestId('kept');

/** A page that knows our hub, with the network chosen that the hub has. */
async function visit({ trouble = {}, prepare, ...context } = {}) {
  hub.requests.length = 0;
  hub.trouble = trouble;
  const found = await open(here, { query: `?debug=1&hub=${hub.address}`, hosts: hub.hosts, prepare, ...context });
  await ready(found.page);
  await choose(found.page);
  return found;
}

async function choose(page) {
  await page.locator('[data-testid=family][data-value=regnet]').click();
  await page.getByTestId('variant').selectOption(ENTRY.name);
}

const load = (page) => page.getByTestId('offer-load').click();

/** Waits until the network has looked at a picture. */
async function loaded(page) {
  await page.waitForFunction((name) => window.splitlens.reading()?.network === name, ENTRY.name, { timeout: PATIENCE });
  await ready(page);
  return reading(page);
}

const said = (page, pattern) =>
  page.waitForFunction(
    ([source]) => new RegExp(source).test(document.querySelector('[data-testid=notice]')?.textContent),
    [pattern.source],
    { timeout: PATIENCE },
  );

/** Every text of the bar from now on that is about our hub's file, which others of the family may come before. */
const watchProgress = (page) =>
  page.evaluate((total) => {
    window.progress = [];
    new MutationObserver(() => {
      const text = document.querySelector('[data-testid=progress][data-stage=download] .progress-text')?.textContent;
      if (text?.endsWith(total) && window.progress.at(-1) !== text) window.progress.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  }, `of ${(ENTRY.bytes / 1e6).toFixed(1)}\u00a0MB`);

test('an offer says what it is, and loads with a bar; the answer is PyTorch’s', async () => {
  const { page, complaints } = await visit({ trouble: { pace: 5 } });
  const megabytes = (ENTRY.bytes / 1e6).toFixed(1);
  assert.equal(await text(page, 'offer-load'), `Load (${megabytes}\u00a0MB, ${ENTRY.repository})`);
  assert.equal(await text(page, 'offer-licence'), ENTRY.licence);
  assert.match(await text(page, 'offer-top1'), new RegExp((ENTRY.top1 * 100).toFixed(1)));
  assert.equal(await page.getByTestId('offer-source').getAttribute('href'), `${hub.address}/${ENTRY.repository}`);
  assert.deepEqual(hub.requests, [], 'nothing is asked before the visitor asks for it');
  await screenshot(page, 'offer');

  await watchProgress(page);
  await load(page);
  const { run } = await loaded(page);
  const shown = (await page.evaluate(() => window.progress)).map((text) => text.match(/([\d.]+)\sMB of ([\d.]+)\sMB/));
  const parts = shown.filter(Boolean).map(([, done, total]) => [Number(done), Number(total)]);
  assert.ok(parts.length > 5, `the bar was seen at ${parts.length} places`);
  assert.ok(parts.every(([done, total], index) => total === Number(megabytes) && done >= (parts[index - 1]?.[0] ?? 0)));
  assert.deepEqual(downloads(hub).map(({ method, path, range }) => [method, path, range]), [['GET', `/${COMMIT}`, undefined]]);

  const golden = JSON.parse(await file('tests/golden/picture.json'));
  assert.equal(golden.network, ENTRY.name);
  await drop(page, await file(`tests/golden/${golden.image}`), 'panda.png', 'image/png');
  const { logits } = await nextReading(page, run);
  const spread = Math.max(...golden.logits) - Math.min(...golden.logits);
  assertClose(logits, golden.logits, 1e-3 * spread, 'logits');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a checkpoint from the hub and the same file dropped give the same logits', async () => {
  const { page } = await visit();
  await load(page);
  const { run, logits } = await loaded(page);
  await drop(page, hub.bytes, `${ENTRY.name}.safetensors`, 'application/octet-stream');
  assert.deepEqual((await nextReading(page, run)).logits, logits);
  await page.context().close();
});

test('the next visit asks nobody; the list shows and deletes what is kept', async () => {
  const { page } = await visit();
  await load(page);
  const { logits } = await loaded(page);
  await page.reload();
  await ready(page);
  hub.requests.length = 0;
  await choose(page);
  assert.deepEqual((await loaded(page)).logits, logits);
  assert.deepEqual(hub.requests, []);

  await page.getByTestId('library').locator('summary').click();
  assert.equal(await kept(page).count(), 1);
  assert.equal(await kept(page).getAttribute('data-repository'), ENTRY.repository);
  assert.equal(await kept(page).getAttribute('data-bytes'), String(ENTRY.bytes));
  assert.equal(await page.getByTestId('library').getAttribute('data-bytes'), String(ENTRY.bytes));
  assert.match(await text(page, 'room'), /MB of the/);
  await screenshot(page, 'library');
  const deletion = page.getByRole('button', { name: `Delete ${ENTRY.repository}` });
  await deletion.click();
  await deletion.waitFor({ state: 'detached' });
  assert.match(await text(page, 'library-said'), /^Deleted/);
  const addresses = await page.evaluate(async () => (await (await caches.open('splitlens-checkpoints')).keys()).length);
  assert.equal(addresses, 0);
  // The network is at work still; for another size its weights would be loaded anew.
  await page.getByTestId('side').fill('160');
  await page.getByTestId('side').press('Enter');
  await page.getByTestId('offer-load').waitFor();
  assert.deepEqual(hub.requests, [], 'nothing is loaded anew unless the visitor asks for it');
  await load(page);
  await page.waitForFunction(() => window.splitlens.reading().side === 160, null, { timeout: PATIENCE });
  await page.getByRole('button', { name: `Delete ${ENTRY.repository}` }).click();
  await page.getByRole('button', { name: `Delete ${ENTRY.repository}` }).waitFor({ state: 'detached' });
  await page.reload();
  await ready(page);
  await choose(page);
  await page.getByTestId('offer-load').waitFor();
  await page.context().close();
});

test('stopped, loading goes on from there when it is asked for again', async () => {
  const { page } = await visit({ trouble: { pace: 20 } });
  await watchProgress(page);
  await load(page);
  await page.waitForFunction(() => window.progress.some((text) => / [2-9]\.\d\sMB of/.test(text)), null, { timeout: PATIENCE });
  await page.getByTestId('stop').click();
  await ready(page);
  hub.trouble = {};
  await load(page);
  await loaded(page);
  const [first, second] = downloads(hub);
  const from = Number(second.range.match(/^bytes=(\d+)-$/)[1]);
  assert.ok(from > 1e6 && from <= first.sent, `${first.sent} bytes were sent, the second request is for ${second.range}`);
  assert.equal(second.sent, ENTRY.bytes - from);
  await page.context().close();
});

for (const [what, trouble] of [
  ['', {}],
  [' whose answers hide Content-Range', { hideRange: true }],
]) {
  test(`a broken connection is taken up where it broke, by a hub${what}`, async () => {
    const { page } = await visit({ trouble: { breakAfter: 3_000_000, ...trouble } });
    await load(page);
    await loaded(page);
    const ranges = downloads(hub).map(({ method, range, sent }) => [method, range, sent]);
    // No byte is asked for twice, and nobody asks for leave (OPTIONS) first.
    assert.deepEqual(ranges, [
      ['GET', undefined, 3_000_000],
      ['GET', 'bytes=3000000-', ENTRY.bytes - 3_000_000],
    ]);
    await page.context().close();
  });
}

test('a hub that ignores Range sends the whole file again', async () => {
  const { page } = await visit({ trouble: { breakAfter: 3_000_000, ignoreRange: true } });
  await load(page);
  await loaded(page);
  assert.deepEqual(downloads(hub).map(({ sent }) => sent), [3_000_000, ENTRY.bytes]);
  await page.context().close();
});

for (const [what, trouble, sentence] of [
  ['of another digest', { digest: 'ab'.repeat(32) }, /SHA-256 is [0-9a-f]{64}, but (ab){32} was expected/],
  ['cut short', { missing: 1000 }, /came with \d+ bytes, but \d+ were expected/],
  ['cut short on a hub without an API', { missing: 1000, noApi: true }, /the file has \d+ bytes, but its header speaks of \d+/],
  ['that is not there', { status: 404 }, /has no such checkpoint/],
  ['that wants a login', { status: 403 }, /does not give .* to everybody/],
  ['asked for too often', { status: 429, retryAfter: '30' }, /asks to wait 30 seconds/],
  ['on a hub in trouble', { status: 500 }, /answered 500/],
  ['behind a login page', { page: true }, /a web page in place of/],
]) {
  test(`a checkpoint ${what} gets a sentence, and can be loaded once that is mended`, async () => {
    const { page } = await visit({ trouble });
    const { network, logits } = await reading(page);
    await load(page);
    await said(page, sentence);
    assert.deepEqual(await reading(page).then(({ network, logits }) => ({ network, logits })), { network, logits });
    assert.equal(await kept(page).count(), 0);
    hub.trouble = {};
    await load(page);
    await loaded(page);
    await page.context().close();
  });
}

test('without an API the file comes from the branch, and the page says what is unchecked', async () => {
  const { page } = await visit({ trouble: { noApi: true } });
  await load(page);
  await loaded(page);
  await said(page, /SHA-256 of .* is unchecked, since the API of .* answered 404/);
  assert.deepEqual(downloads(hub).map(({ path }) => path), ['/main']);
  await page.context().close();
});

for (const [what, spoil, sentence] of [
  ['a full disk', () => (Cache.prototype.put = async () => { throw new DOMException('', 'QuotaExceededError'); }), /no room to keep/],
  ['a browser without caches', () => Object.defineProperty(window, 'caches', { get: () => undefined }), /keeps no copy/],
  ['a browser that refuses caches', () => (CacheStorage.prototype.open = async () => { throw new DOMException('denied', 'SecurityError'); }), /keeps no copy .*denied/],
]) {
  test(`with ${what} it goes on from memory and says so`, async () => {
    const { page } = await visit({ prepare: (page) => page.addInitScript(spoil) });
    await load(page);
    await loaded(page);
    await said(page, sentence);
    assert.equal(await kept(page).count(), 0);
    await page.context().close();
  });
}

test('a kept copy that was damaged is deleted and loaded anew', async () => {
  const { page } = await visit();
  await load(page);
  const { logits } = await loaded(page);
  await page.evaluate(async () => {
    const cache = await caches.open('splitlens-checkpoints');
    const [request] = await cache.keys();
    const copy = await cache.match(request);
    const bytes = new Uint8Array(await copy.arrayBuffer());
    bytes[bytes.length - 5] ^= 1;
    await cache.put(request, new Response(bytes, { headers: copy.headers }));
  });
  await page.reload();
  await ready(page);
  await choose(page);
  assert.deepEqual((await loaded(page)).logits, logits);
  await said(page, /no longer what had been stored/);
  const digest = await page.evaluate(async () => {
    const cache = await caches.open('splitlens-checkpoints');
    const [request] = await cache.keys();
    const bytes = await (await cache.match(request)).arrayBuffer();
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('');
  });
  assert.equal(digest, createHash('sha256').update(hub.bytes).digest('hex'));
  await page.context().close();
});

test('a hub’s address that is none gets a sentence', async () => {
  const { page } = await open(here, { query: '?debug=1&hub=ftp://localhost' });
  await ready(page);
  await choose(page);
  assert.match(await text(page, 'offer-trouble'), /ftp:\/\/localhost.*no http or https address/);
  await page.context().close();
});

test('the offer fits a phone', async () => {
  const { page } = await visit({ viewport: { width: 360, height: 640 }, hasTouch: true });
  await page.getByTestId('offer-load').waitFor();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px wider than the screen`);
  await screenshot(page, 'offer-phone');
  await page.context().close();
});

test('of two choices in a row the last counts, and an offer leaves what is open at work', async () => {
  const { page } = await visit();
  const family = (name) => page.locator(`[data-testid=family][data-value=${name}]`);
  // A family of which no network ships.
  await family('efficientnet').click();
  await family('resnest').click();
  await ready(page);
  await page.waitForTimeout(300);
  assert.equal(await page.getByTestId('offer').count(), 0, 'the offer of the network that was passed over is gone');
  assert.equal(await page.getByTestId('variant').inputValue(), 'resnest_tiny');

  await family('efficientnet').click();
  await page.getByTestId('offer').waitFor();
  const { logits } = await reading(page);
  await drop(page, await file('tests/golden/images/red_panda_197x153.png'), 'panda.png', 'image/png');
  await page.waitForFunction((logit) => window.splitlens.reading().logits[0] !== logit, logits[0], { timeout: PATIENCE });
  assert.equal((await reading(page)).network, 'resnest_tiny');
  await page.getByTestId('offer-decline').click();
  assert.equal(await page.getByTestId('variant').inputValue(), 'resnest_tiny');
  assert.equal(await page.getByTestId('offer').count(), 0);
  await page.context().close();
});

test('what could be kept nowhere is still at hand in this visit', async () => {
  const prepare = (page) => page.addInitScript(() => Object.defineProperty(window, 'caches', { get: () => undefined }));
  const { page } = await visit({ prepare });
  await load(page);
  const { logits, run } = await loaded(page);
  const before = hub.requests.length;
  await page.getByTestId('side').fill('160');
  await page.getByTestId('side').press('Enter');
  assert.equal((await nextReading(page, run)).side, 160);
  await page.getByTestId('side').fill('224');
  await page.getByTestId('side').press('Enter');
  await page.waitForFunction((logit) => window.splitlens.reading().logits[0] === logit, logits[0], { timeout: PATIENCE });
  assert.equal(hub.requests.length, before, 'nothing is asked again');
  await page.context().close();
});
