// Every format that the page promises to read gives the same answer for the same picture.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, file, nextReading, open, reading, ready, site } from './browser.mjs';

const here = site();

/** Largest difference of two lists of logits. */
const distance = (a, b) => Math.max(...a.map((value, index) => Math.abs(value - b[index])));

test('PNG, WebP, AVIF, GIF and a JPEG turned by its EXIF orientation', async () => {
  const { page } = await open(here, { query: '?debug=1' });
  await ready(page);
  let found = await reading(page);
  const read = async (bytes, name, type) => {
    await drop(page, bytes, name, type);
    found = await nextReading(page, found.run);
    return found.logits;
  };
  const fixture = (name) => file(`tests/web/fixtures/${name}`);
  const png = await read(await fixture('panda.png'), 'panda.png', 'image/png');
  const webp = await read(await fixture('panda.webp'), 'panda.webp', 'image/webp');
  assert.deepEqual(webp, png, 'lossless WebP has the same pixels');

  // Without its EXIF block the JPEG lies on its side: that is how far off a wrong picture is.
  const turned = await fixture('turned.jpg');
  const lying = Buffer.from(turned);
  lying.write('Xxif', lying.indexOf('Exif'));
  const wrong = distance(await read(lying, 'lying.jpg', 'image/jpeg'), png);
  // These lose a little, the GIF most with its 256 colours.
  for (const [bytes, name, type] of [
    [turned, 'turned.jpg', 'image/jpeg'],
    [await fixture('panda.avif'), 'panda.avif', 'image/avif'],
    [await fixture('panda.gif'), 'panda.gif', 'image/gif'],
  ]) {
    const off = distance(await read(bytes, name, type), png);
    assert.ok(off < wrong / 4, `${name} is ${off} off, a wrong picture ${wrong}`);
  }
  await page.context().close();
});
