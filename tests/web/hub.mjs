// Stands in for the Hugging Face hub, as a page of another origin meets it: an API, and files behind a redirect to a
// signed address of yet another origin. It can be made to give trouble.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { file } from './browser.mjs';
import { checkpoint } from './hashed.mjs';

const FILE = 'model.safetensors';
const CHUNK = 1 << 16;

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** The entry of the catalogue whose file the hub has. */
export const ENTRY = JSON.parse(await file('static/models/catalogue.json')).entries.find(
  ({ name }) => name === 'regnetx_002',
);

/**
 * Starts a hub. `requests` lists what it was asked: `{ method, path, range, sent }`, files only where they are sent
 * from. `trouble` is what tests set:
 *
 * - `noApi`: the API answers 404
 * - `digest`: what the API says, in place of the truth
 * - `status`, `retryAfter`: in place of the file
 * - `page`: an HTML page in place of the file
 * - `breakAfter`: cuts the next connection after so many bytes, once
 * - `ignoreRange`: sends the whole file whatever was asked
 * - `hideRange`: does not let the page read Content-Range
 * - `missing`: so many bytes are missing at the end of the file
 * - `pace`: milliseconds between chunks of 64 KiB
 */
export async function serveHub() {
  const bytes = await checkpoint(ENTRY.name, ENTRY.bytes);
  const hub = { bytes, requests: [], trouble: {} };
  const cdn = await listen((request, response) => sendFile(hub, request, response));
  const front = await listen((request, response) => {
    const path = new URL(request.url, 'http://localhost').pathname;
    const headers = { 'access-control-allow-origin': '*' };
    if (path === `/hub/api/models/${ENTRY.repository}`) {
      hub.requests.push({ method: request.method, path });
      if (hub.trouble.noApi) return response.writeHead(404, headers).end();
      const sha256 = hub.trouble.digest ?? createHash('sha256').update(bytes).digest('hex');
      const siblings = [{ rfilename: 'README.md', size: 12 }, { rfilename: FILE, size: bytes.length, lfs: { sha256 } }];
      response.writeHead(200, { ...headers, 'content-type': 'application/json' });
      return response.end(JSON.stringify({ sha: COMMIT, siblings }));
    }
    const revision = path.match(`^/hub/${ENTRY.repository}/resolve/([^/]+)/${FILE}$`)?.[1];
    if (![COMMIT, 'main'].includes(revision)) return response.writeHead(404, headers).end();
    return response.writeHead(302, { ...headers, location: `${cdn.address}/${revision}?signature=expires` }).end();
  });
  hub.address = `${front.address}/hub`;
  hub.hosts = [front, cdn].map(({ address }) => new URL(address).host);
  hub.close = () => Promise.all([front, cdn].map(({ close }) => close()));
  return hub;
}

/** Requests for the file alone. */
export const downloads = (hub) => hub.requests.filter(({ path }) => !path.startsWith('/hub/api/'));

async function sendFile(hub, request, response) {
  const { bytes, trouble } = hub;
  const { method, url, headers } = request;
  const record = { method, path: new URL(url, 'http://localhost').pathname, range: headers.range, sent: 0 };
  hub.requests.push(record);
  const common = {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': trouble.hideRange ? 'ETag' : 'ETag, Content-Range, Retry-After',
  };
  // A page that had to ask for leave first would be told no.
  if (method !== 'GET') return response.writeHead(405).end();
  if (trouble.status) {
    return response.writeHead(trouble.status, { ...common, ...(trouble.retryAfter && { 'retry-after': trouble.retryAfter }) }).end();
  }
  if (trouble.page) return response.writeHead(200, { ...common, 'content-type': 'text/html' }).end('<h1>Log in</h1>');

  const end = bytes.length - (trouble.missing ?? 0);
  const asked = trouble.ignoreRange ? null : headers.range?.match(/^bytes=(\d+)-$/);
  const from = Number(asked?.[1] ?? 0);
  if (from >= end) return response.writeHead(416, { ...common, 'content-range': `bytes */${end}` }).end();
  response.writeHead(asked ? 206 : 200, {
    ...common,
    'content-type': 'application/octet-stream',
    'content-length': end - from,
    ...(asked && { 'content-range': `bytes ${from}-${end - 1}/${end}` }),
  });
  const stop = Math.min(end, from + (trouble.breakAfter ?? Infinity));
  delete trouble.breakAfter;
  for (let at = from; at < stop && !response.destroyed; at += CHUNK) {
    const chunk = bytes.subarray(at, Math.min(at + CHUNK, stop));
    await new Promise((resolve) => response.write(chunk, resolve));
    record.sent += chunk.length;
    if (trouble.pace) await sleep(trouble.pace);
  }
  if (stop === end) return response.end();
  // What was sent has arrived by then.
  await sleep(300);
  return response.destroy();
}

async function listen(answer) {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://localhost:${server.address().port}`, close };
}
