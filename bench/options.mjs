// What the benchmarks' command lines say.
import { parseArgs } from 'node:util';

export function fail(why) {
  console.error(`bench: ${why}`);
  process.exit(2);
}

/** The texts of these options, where they are given. */
export function options(...names) {
  try {
    return parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) }).values;
  } catch (error) {
    return fail(error.message);
  }
}

/** A number from 1 on. */
export const number = (name, text) =>
  Number(text) >= 1 ? Number(text) : fail(`--${name} ${text}: not a number from 1 on`);
