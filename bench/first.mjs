// Visits the built page again and again, as someone who has never been there, and says what came when.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium, ready } from '../tests/web/browser.mjs';
import { DIST, serve } from '../tests/web/server.mjs';
import { fail, number, options } from './options.mjs';
import { median } from './table.mjs';

/** Runs in the page before its own program: notes the first frame with the map, and every task of 50 ms and more. */
function note() {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
    buffered: true,
  });
  const phases = new MutationObserver(() => {
    if (document.documentElement?.dataset.phase !== 'ready') return;
    phases.disconnect();
    requestAnimationFrame(() => (window.first = performance.now()));
  });
  phases.observe(document, { attributes: true, subtree: true, attributeFilter: ['data-phase'] });
}

/** Milliseconds from asking for the page to its first map, and of the longest task until a little later. */
async function visit(browser, address) {
  // A context of its own has no cache of another's.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(note);
  await page.goto(address);
  await ready(page);
  await page.waitForTimeout(500);
  // The browser tells of tasks from 50 ms on.
  const measured = await page.evaluate(() => ({ first: window.first, longest: Math.max(50, ...window.tasks) }));
  await context.close();
  return measured;
}

const asked = options('visits', 'beside');
const visits = Math.floor(number('visits', asked.visits ?? '20'));
const folders = [DIST, ...(asked.beside ? [resolve(asked.beside)] : [])];
const odd = folders.find((folder) => !existsSync(`${folder}/index.html`));
if (odd) fail(`${odd} is no built page`);
const browser = await chromium();
const sites = await Promise.all(folders.map(async (folder) => ({ folder, ...(await serve(folder)), visits: [] })));
// The browser's own start is nobody's: the first visit of each does not count.
for (let round = 0; round <= visits; round += 1) {
  for (const site of round % 2 ? sites : [...sites].reverse()) {
    const measured = await visit(browser, site.address);
    if (round > 0) site.visits.push(measured);
  }
}
for (const site of sites) {
  const say = (what) => {
    const values = site.visits.map((visit) => visit[what]);
    return [median(values), Math.min(...values), Math.max(...values)].map((ms) => ms.toFixed(0));
  };
  const [[first, ...firsts], [longest, ...longests]] = ['first', 'longest'].map(say);
  console.log(`${site.folder}: first map after ${first} ms (${firsts.join(' to ')}), longest task ${longest} ms (${longests.join(' to ')}), ${visits} visits`);
}
if (sites.length > 1) {
  const ratios = sites[0].visits.map(({ first }, index) => first / sites[1].visits[index].first);
  console.log(`first map: ${median(ratios).toFixed(2)} of the time of the other (median of the pairs)`);
}
await browser.close();
await Promise.all(sites.map((site) => site.close()));
