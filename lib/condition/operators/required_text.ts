/** What a text has to contain for a regular expression to match it. @module */

/** More alternatives cost more to look for than they save. */
const MAX_ALTERNATIVES = 16;
/** Almost every text has any one character. */
const MIN_LENGTH = 2;

/** One of these has to be in the text. */
type Need = readonly string[];

/** Texts of which an item is exactly one: a character, or a group of nothing but such. */
interface Exact {
  readonly exact: readonly string[];
}

interface Level {
  /** The best that the alternative so far needs. */
  best: Need | undefined;
  /** What the items before the last come to, if they follow each other: one of these. */
  runs: readonly string[];
  /** Whether the alternative so far is exactly one of the runs. */
  isExact: boolean;
  /** The last item, which a sign behind it may still make optional; undefined if nothing is known. */
  last: Exact | Need | undefined;
  /** Whether the last item may come more than once. */
  isRepeated: boolean;
  /** What the finished alternatives need. */
  readonly finished: (Need | undefined)[];
  /** What the finished alternatives are; undefined if one of them is more than a few texts. */
  exact: readonly string[] | undefined;
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
    this.#level.last = { exact: [char] };
  }

  /** Something that stands for more than one character, or for a place. */
  other(): void {
    this.#settle();
    this.#endRuns();
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
    this.#open.push(this.#level);
    this.#level = newLevel();
  }

  /** A closing parenthesis. */
  closeGroup(): void {
    const need = this.#finish();
    const { exact } = this.#level;
    this.#level = this.#open.pop()!;
    this.#level.last = exact === undefined ? need : { exact };
    // A group of which nothing is known is an item all the same.
    if (this.#level.last === undefined) this.#endRuns();
  }

  /** A bar between two alternatives. */
  alternative(): void {
    this.#settle();
    const level = this.#level;
    const isFew = level.isExact && level.exact !== undefined;
    level.exact = isFew ? few([...level.exact!, ...level.runs]) : undefined;
    this.#endRuns();
    level.finished.push(level.best);
    level.best = undefined;
    level.isExact = true;
  }

  /** The texts of which one is needed; undefined if nothing is known. */
  result(): readonly string[] | undefined {
    const need = this.#finish();
    // Whoever has the longer one has the shorter one too.
    return need?.filter((text) => !need.some((one) => one !== text && text.includes(one)));
  }

  #finish(): Need | undefined {
    this.alternative();
    const needs = this.#level.finished;
    return needs.includes(undefined) ? undefined : few(needs.flatMap((need) => need!));
  }

  #settle(): void {
    const { last, isRepeated, runs } = this.#level;
    this.#level.last = undefined;
    this.#level.isRepeated = false;
    if (last !== undefined && "exact" in last) {
      const longer = few(runs.flatMap((run) => last.exact.map((text) => run + text)));
      if (longer === undefined) this.#endRuns();
      this.#level.runs = longer ?? last.exact;
    }
    // What follows the last repetition does not follow the first.
    if (isRepeated) this.#endRuns();
    if (last !== undefined && !("exact" in last)) {
      this.#endRuns();
      this.#offer(last);
    }
  }

  #endRuns(): void {
    const { runs } = this.#level;
    if (shortest(runs) >= MIN_LENGTH) this.#offer(runs);
    this.#level.runs = [""];
    this.#level.isExact = false;
  }

  /** The longer the shortest text is, the fewer texts have it. */
  #offer(need: Need): void {
    const { best } = this.#level;
    if (best === undefined || shortest(need) > shortest(best)) this.#level.best = need;
  }
}

function newLevel(): Level {
  return {
    best: undefined,
    runs: [""],
    isExact: true,
    last: undefined,
    isRepeated: false,
    finished: [],
    exact: [],
  };
}

/** The texts, each once; undefined if they are too many. */
function few(texts: readonly string[]): readonly string[] | undefined {
  const all = [...new Set(texts)];
  return all.length > MAX_ALTERNATIVES ? undefined : all;
}

function shortest(need: Need): number {
  return Math.min(...need.map((text) => text.length));
}
