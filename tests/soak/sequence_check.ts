/** At most once, in order, and nothing lost without a reason. @module */

/** Something that may take alerts with it: a fault that struck, or a reader that left. */
export interface Loss {
  /** What it was, for the report. */
  readonly kind: string;
  /** When it began, in milliseconds. */
  readonly atMs: number;
  /** How long it went on. */
  readonly forMs: number;
}

/** What a {@linkcode SequenceCheck} found. */
export interface SequenceFigures {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  readonly disordered: number;
  /** Alerts that never came, by what took them. */
  readonly lost: Readonly<Record<string, number>>;
  /** Alerts that never came although nothing had happened, or no gap was reported. */
  readonly unexplained: readonly string[];
}

/** A fault is noticed, and takes its toll, within this time. */
const SLACK_MS = 1000;
/** The fault that takes one alert and leaves the connection alone. */
const DROP = "lose";
/** Enough to see what is wrong. */
const MAX_SENTENCES = 20;

/**
 * Looks at the numbers that alerts carry, from 0 on without a hole.
 *
 * One queue and one reader: the numbers must rise. A hole needs something that happened between the
 * moment when the first missing alert was raised and the moment when the next one came, and unless
 * Falco itself dropped the alert, the subscription must have reported a gap meanwhile.
 */
export class SequenceCheck {
  /** The moments at which alerts were raised, with the number of the first one each time. */
  #raised: { readonly first: number; readonly atMs: number }[] = [];
  #sent = 0;
  #next = 0;
  #received = 0;
  #duplicates = 0;
  #disordered = 0;
  #gaps = 0;
  /** The numbers that are missing, as far as one of them could still come. */
  #missing: { readonly from: number; readonly to: number }[] = [];
  readonly #lost: Record<string, number> = {};
  readonly #unexplained: string[] = [];

  /**
   * Notes that alerts are raised.
   *
   * @param count How many.
   * @param atMs When.
   * @returns The number of the first one.
   */
  raise(count: number, atMs: number): number {
    const first = this.#sent;
    this.#raised.push({ first, atMs });
    this.#sent += count;
    return first;
  }

  /**
   * Looks at an alert.
   *
   * @param number The number that it carries.
   * @param atMs When it came.
   * @param gaps How many gaps the subscriptions have reported so far.
   * @param losses What happened of late.
   */
  receive(number: number, atMs: number, gaps: number, losses: readonly Loss[]): void {
    if (number < this.#next) {
      if (this.#missing.some(({ from, to }) => from <= number && number < to)) this.#disordered++;
      else this.#duplicates++;
      return;
    }
    if (number > this.#next) this.#explain(number, atMs, gaps, losses);
    this.#received++;
    this.#next = number + 1;
    this.#gaps = gaps;
    while (this.#raised.length > 1 && this.#raised[1]!.first <= this.#next) this.#raised.shift();
  }

  /**
   * Looks at what never came.
   *
   * @param atMs When the last reader left.
   * @param losses What happened of late.
   */
  end(atMs: number, losses: readonly Loss[]): void {
    if (this.#next < this.#sent) this.#explain(this.#sent, atMs, Infinity, losses);
    this.#next = this.#sent;
  }

  /** What was found so far. */
  get figures(): SequenceFigures {
    return {
      sent: this.#sent,
      received: this.#received,
      duplicates: this.#duplicates,
      disordered: this.#disordered,
      lost: { ...this.#lost },
      unexplained: this.#unexplained,
    };
  }

  #explain(next: number, atMs: number, gaps: number, losses: readonly Loss[]): void {
    const count = next - this.#next;
    this.#missing.push({ from: this.#next, to: next });
    if (this.#missing.length > 1000) this.#missing.shift();
    const raisedAt = this.#raised.findLast(({ first }) => first <= this.#next)?.atMs ?? 0;
    const possible = losses.filter((loss) =>
      loss.atMs <= atMs && loss.atMs + loss.forMs + SLACK_MS >= raisedAt
    );
    // One that Falco drops by itself is a single alert, and the connection stays. Of what came with a
    // gap the latest took what the others had left.
    const drops = possible.filter(({ kind }) => kind === DROP);
    const others = possible.filter(({ kind }) => kind !== DROP);
    const loss = count <= drops.length
      ? drops[0]
      : gaps > this.#gaps
      ? others.sort((one, other) => other.atMs - one.atMs)[0]
      : undefined;
    if (loss !== undefined) {
      this.#lost[loss.kind] = (this.#lost[loss.kind] ?? 0) + count;
    } else if (this.#unexplained.length < MAX_SENTENCES) {
      const why = possible.length > 0 ? "without a gap" : "though nothing had happened";
      this.#unexplained.push(`${count} alerts from number ${this.#next} on never came, ${why}`);
    }
  }
}
