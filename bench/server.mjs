// Serves the bench's pages, the peers' packages and what was made for both.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { MADE, repository } from './networks.mjs';

const FOLDERS = { made: MADE, node_modules: repository('bench/node_modules'), browser: repository('bench/browser') };

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

// Threads in WebAssembly share memory, which a browser allows only to a page that is isolated from other sites.
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Starts the server; resolves to `{ address, close }`. */
export async function serve() {
  const server = createServer(async (request, response) => {
    const [, folder, ...rest] = new URL(request.url, 'http://localhost').pathname.split('/');
    const inside = normalize(decodeURIComponent(rest.join('/')));
    const path = folder in FOLDERS && !inside.startsWith('..') && join(FOLDERS[folder], inside);
    const size = path && (await stat(path).catch(() => null))?.size;
    if (!size) {
      response.writeHead(404, ISOLATED).end();
      return;
    }
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { ...ISOLATED, 'content-type': type, 'content-length': size });
    createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  return { address: `http://localhost:${server.address().port}/browser/index.html`, close };
}
