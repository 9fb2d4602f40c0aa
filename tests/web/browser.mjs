// Headless browsers with WebGPU on the processor, and what the tests do in them again and again.
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as playwright from 'playwright-core';
import { serve } from './server.mjs';

/** A network is compiled and run on two cores that other work may share. */
export const PATIENCE = 120_000;

const repository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const FLAGS = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
/** What Chromium is told to find these adapters; only the first is on every machine. */
export const ADAPTERS = {
  swiftshader: ['--use-webgpu-adapter=swiftshader'],
  // Browsers keep off many drivers for the sake of pages in general.
  graphics: ['--ignore-gpu-blocklist'],
};

/** Chromium, with SwiftShader unless another of the `ADAPTERS` is named. */
export const chromium = (adapter = 'swiftshader') =>
  playwright.chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: false,
    args: [...FLAGS, ...ADAPTERS[adapter]],
  });

/** Debian's Firefox as it is, driven over WebDriver BiDi; its release for Linux has WebGPU, but not switched on. */
export const firefox = () =>
  playwright.firefox.launch({
    channel: 'moz-firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    // Mesa's driver on the processor is on the block list.
    firefoxUserPrefs: { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true },
  });

/** A browser and a server for all tests of a file: `browser` and `server` once these have begun. */
export function site(launch = chromium) {
  const site = {};
  before(async () => {
    // One after the other: a server beside a browser that did not start would keep the file from ending.
    site.browser = await launch();
    site.server = await serve();
  });
  after(async () => {
    await site.browser?.close();
    await site.server?.close();
  });
  return site;
}

export const file = (path) => readFile(repository(path));

/**
 * Opens the page and collects what must not happen: errors on the console, and requests to other hosts than `hosts`.
 * `prepare` runs before the page does.
 */
export async function open({ browser, server: { address } }, { query = '', prepare, hosts = [], ...context } = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context })).newPage();
  const complaints = [];
  const host = new URL(address).host;
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && ![host, ...hosts].includes(url.host)) complaints.push(`a request to ${url.host}`);
  });
  await prepare?.(page);
  await page.goto(address + query);
  return { page, complaints };
}

/** Opens the page, waits for its first analysis, uses it; fails if anything went wrong on the quiet meanwhile. */
export async function visit(here, options, use) {
  const { page, complaints } = await open(here, options);
  await ready(page);
  await use(page);
  assert.deepEqual(complaints, []);
  await page.context().close();
}

/** Waits until the page is in one of its phases: opening, ready, analysing, failed. */
export const phase = (page, name) =>
  page.waitForFunction((name) => document.documentElement.dataset.phase === name, name, { timeout: PATIENCE });

export const ready = (page) => phase(page, 'ready');

/** The class in first place. */
export const prediction = (page) => page.getByTestId('prediction').getAttribute('data-index');

/** The last reading, as numbers; the page has to be opened with `?debug=1`. */
export const reading = (page) => page.evaluate(() => window.splitlens.reading());

/** Waits for a reading that is not the one with this run number. */
export async function nextReading(page, run) {
  await page.waitForFunction((run) => window.splitlens.reading()?.run > run, run, { timeout: PATIENCE });
  await ready(page);
  return reading(page);
}

/** Presses a key that opens another network, and waits for what it reads. */
export async function press(page, key) {
  const { run } = await reading(page);
  await page.keyboard.press(key);
  return nextReading(page, run);
}

/** Goes from network to network by `[` or `]` until this one is open; resolves to its reading. */
export async function walkTo(page, network, key) {
  let found = await reading(page);
  for (let steps = 0; steps < 20 && found.network !== network; steps += 1) found = await press(page, key);
  assert.equal(found.network, network);
  return found;
}

/** The pixels of a canvas, as text that differs where they do. */
export const pixels = (page, testid) =>
  page.getByTestId(testid).evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.join();
  });

/** Drops a file on the middle of the page. */
export const drop = (page, bytes, name, type) => dropAll(page, [{ bytes, name, type }]);

/** Drops several files at once. */
export async function dropAll(page, files) {
  const transfer = await page.evaluateHandle(
    (files) => {
      const transfer = new DataTransfer();
      for (const { base64, name, type } of files) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        transfer.items.add(new File([bytes], name, { type }));
      }
      return transfer;
    },
    files.map(({ bytes, name, type = '' }) => ({ base64: bytes.toString('base64'), name, type })),
  );
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('body', event, { dataTransfer: transfer });
  }
}

/** Pastes a file, as the clipboard would bring an image. */
export const paste = (page, bytes, name, type) =>
  page.evaluate(
    ([base64, name, type]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], name, { type }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    },
    [bytes.toString('base64'), name, type],
  );

/** Fails with the first value that is further from the expected one than `tolerance`. */
export function assertClose(found, expected, tolerance, what) {
  assert.equal(found.length, expected.length, what);
  found.forEach((value, index) => {
    assert.ok(
      Math.abs(value - expected[index]) <= tolerance,
      `${what}: value ${index} is ${value}, expected ${expected[index]}`,
    );
  });
}

/** Fails unless logits and attention of the golden images, dropped one after the other, are PyTorch's. */
export async function assertEqualsPyTorch(page) {
  const golden = JSON.parse(await file('tests/golden/resnest_tiny.json'));
  let found = await reading(page);
  for (const image of golden.images) {
    await drop(page, await file(`tests/golden/${image.file}`), image.file, 'image/png');
    found = await nextReading(page, found.run);
    assertClose(found.logits, image.logits, 1e-3, `${image.file} logits`);
    assert.equal(found.units.length, image.units.length);
    image.units.forEach((unit, index) => {
      assert.equal(found.units[index].name, unit.name);
      assertClose(found.units[index].attention.flat(), unit.attention.flat(), 1e-4, `${image.file} ${unit.name}`);
    });
  }
}

/** Writes a screenshot of the whole page to `tests/web/artefacts`. */
export async function screenshot(page, name) {
  const folder = repository('tests/web/artefacts');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
