// One runtime with one network in a page of its own, whose trouble stays its own.

/** A sentence of an error's text, which may be a whole stack. */
function reason(error) {
  const [line] = String(error.message ?? error).split('\n');
  return line.replace(/^(page\.evaluate: |Error: )*/, '').slice(0, 200);
}

/** Warm runs of one cell that together took so long need no more of them. */
const ENOUGH_MS = 60_000;
/** A turn has so many runs at most, and begins none after so long: short ones vary most. */
const TURN_RUNS = 5;
const TURN_MS = 1000;

export class Cell {
  /** @param golden what timm answers. @param patience milliseconds that one call may take. */
  constructor(runtime, network, golden, patience) {
    Object.assign(this, { runtime, network, golden, patience, warm: [] });
  }

  async open(browser, address) {
    // A context of its own has no cache of another's shaders.
    this.context = await browser.newContext();
    this.page = await this.context.newPage();
    await this.page.goto(address);
  }

  async cold() {
    const answer = await this.call(([runtime, network]) => window.cold(runtime, network), [this.runtime, this.network]);
    if (answer) this.coldMs = answer.ms;
  }

  /** Has its turn, unless all runs together have taken enough time. */
  async turn() {
    if (sum(this.warm) > ENOUGH_MS) return;
    const turn = [];
    while (turn.length < TURN_RUNS && sum(turn) < TURN_MS && !this.failure) {
      const answer = await this.call(() => window.warm());
      if (answer) turn.push(answer.ms);
    }
    this.warm.push(...turn);
  }

  /** Calls the page, and checks the answer; after a failure does nothing any more. */
  async call(action, argument) {
    if (this.failure) return null;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${this.patience / 1000} s`)), this.patience);
    });
    try {
      const answer = await Promise.race([this.page.evaluate(action, argument), late]);
      this.compare(answer);
      this.account = answer.account;
      return answer;
    } catch (error) {
      this.failure = reason(error);
      await this.close();
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Fails unless logits, and gates where the runtime gives them, are timm's. */
  compare({ logits, gates }) {
    const expected = this.golden.logits;
    const spread = Math.max(...expected) - Math.min(...expected);
    this.logitsOff = farthest(logits, expected) / spread;
    const off = `off by ${this.logitsOff.toExponential(1)} of their spread`;
    if (!(this.logitsOff <= LOGITS)) throw new Error(`a logit is ${off}`);
    if (this.runtime !== 'splitlens') return;
    this.gatesOff = farthest(gates, this.golden.gates);
    if (!(this.gatesOff <= GATES)) throw new Error(`a gate is off by ${this.gatesOff.toExponential(1)}`);
  }

  async close() {
    await this.context?.close();
    this.context = null;
  }

  /** As the results' file has it. */
  result() {
    const { runtime, failure, coldMs: cold_ms, warm: warm_ms, account, logitsOff, gatesOff } = this;
    if (failure) return { runtime, failure };
    return { runtime, cold_ms, warm_ms, logits_off: logitsOff, gates_off: gatesOff, account };
  }
}

/** How far logits may be from timm's in f64, over their spread: every runtime rounds, and orders sums, as it likes. */
const LOGITS = 1e-4;
const GATES = 1e-4;

const sum = (values) => values.reduce((a, b) => a + b, 0);

function farthest(found, expected) {
  if (found.length !== expected.length) throw new Error(`${found.length} values, expected ${expected.length}`);
  // Not `Math.max`, which takes no such number of arguments, and must not lose what is not a number.
  return found.reduce((most, value, index) => {
    const off = Math.abs(value - expected[index]);
    return off <= most ? most : off;
  }, 0);
}
