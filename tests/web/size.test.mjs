// What a visitor loads before the program runs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DIST } from './server.mjs';

/** As built with binaryen, which takes a hundredth off. */
const LIMIT_BYTES = 700_000;

test('program and JavaScript stay within 700 KB gzipped', () => {
  const files = readdirSync(DIST, { recursive: true }).filter((name) => /\.(wasm|js)$/.test(name));
  for (const end of ['_bg.wasm', '.js']) assert.ok(files.some((name) => name.endsWith(end)), files.join());
  // Not node's zlib, which is made for speed and takes a hundredth more.
  const gzip = (name) => execFileSync('gzip', ['-9', '-c', join(DIST, name)], { maxBuffer: 1 << 24 });
  const bytes = files.reduce((sum, name) => sum + gzip(name).length, 0);
  assert.ok(bytes <= LIMIT_BYTES, `${bytes} bytes`);
});
