/** What a text has to contain for a regular expression to match it. @module */

/** More alternatives cost more to look for than they save. */
const MAX_ALTERNATIVES = 16;
/** Almost every text has any one character. */
const MIN_LENGTH = 2;

/** One of these has to be in the text. */
type Need = readonly string[];

interface Level {
  /** The best that the alternative so far needs. */
  best: Need | undefined;
  /** Characters that follow each other. */
  run: string;
  /** The last item, which a sign behind it may still make optional: a character, a group, or anything else. */
  last: string | Need | undefined;
  /** Whether the last item may come more than once. */
  isRepeated: boolean;
  /** What the finished alternatives need. */
  readonly finished: (Need | undefined)[];
}

/**
 * Collects, while an expression is read, a few literal texts of which one must occur in whatever it
 * matches. To look for them is many times faster than to run an automaton, and most texts have none.
 */
export class RequiredText {
  readonly #open: Level[] = [];
  #level = newLevel();

  /** A character. */
  literal(char: string): void {
    // Half a pair, and what an engine may take for one: texts can differ there and still match.
    if (!char.isWellFormed() || char === "\ufffd") return this.other();
    this.#settle();
    this.#level.last = char;
  }

  /** Something that stands for more than one character, or for a place. */
  other(): void {
    this.#settle();
    this.#endRun();
  }

  /**
   * A sign that repeats the last item.
   *
   * @param isOptional Whether it may be missing altogether.
   */
  repeat(isOptional: boolean): void {
    if (isOptional) this.#level.last = undefined;
    this.#level.isRepeated = true;
  }

  /** An opening parenthesis. */
  openGroup(): void {
    this.#settle();
    this.#endRun();
    this.#open.push(this.#level);
    this.#level = newLevel();
  }

  /** A closing parenthesis. */
  closeGroup(): void {
    const need = this.#finish();
    this.#level = this.#open.pop()!;
    this.#level.last = need;
  }

  /** A bar between two alternatives. */
  alternative(): void {
    this.#settle();
    this.#endRun();
    this.#level.finished.push(this.#level.best);
    this.#level.best = undefined;
  }

  /** The texts of which one is needed; undefined if nothing is known. */
  result(): readonly string[] | undefined {
    return this.#finish();
  }

  #finish(): Need | undefined {
    this.alternative();
    const needs = this.#level.finished;
    if (needs.includes(undefined)) return undefined;
    const all = [...new Set(needs.flatMap((need) => need!))];
    return all.length > MAX_ALTERNATIVES ? undefined : all;
  }

  #settle(): void {
    const { last, isRepeated } = this.#level;
    this.#level.last = undefined;
    this.#level.isRepeated = false;
    if (typeof last === "string") this.#level.run += last;
    // What follows the last repetition does not follow the first.
    if (typeof last !== "string" || isRepeated) this.#endRun();
    if (typeof last === "object") this.#offer(last);
  }

  #endRun(): void {
    if (this.#level.run.length >= MIN_LENGTH) this.#offer([this.#level.run]);
    this.#level.run = "";
  }

  /** The longer the shortest text is, the fewer texts have it. */
  #offer(need: Need): void {
    const { best } = this.#level;
    if (best === undefined || shortest(need) > shortest(best)) this.#level.best = need;
  }
}

function newLevel(): Level {
  return { best: undefined, run: "", last: undefined, isRepeated: false, finished: [] };
}

function shortest(need: Need): number {
  return Math.min(...need.map((text) => text.length));
}
