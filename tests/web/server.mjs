// Serves the built page under a sub-path, as a host of static files would.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built page. */
export const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
export const PREFIX = '/some/where/';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
};

/** Starts the server; resolves to `{ address, close }`. `dist`: another folder than the built page's. */
export async function serve(dist = DIST) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const file = normalize(path.slice(PREFIX.length) || 'index.html');
    if (!path.startsWith(PREFIX) || file.startsWith('..')) {
      response.writeHead(404).end();
      return;
    }
    try {
      const body = await readFile(join(dist, file));
      const type = TYPES[extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://localhost:${server.address().port}${PREFIX}`;
  return { address, close: () => new Promise((resolve) => server.close(resolve)) };
}
