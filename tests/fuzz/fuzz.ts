/** Gives a target harmed inputs until one of them is a finding. @module */
import { Buffer } from "node:buffer";
import { mutate, Random } from "./mutate.ts";
import type { Target } from "./targets.ts";

/** An input may take this long, on a machine that is busy with other things; most take 20 µs. */
const MAX_MS = 2000;

/** What to do. */
export interface FuzzPlan {
  readonly count: number;
  readonly seed: number;
  /** The first input; those before it are left out. Default 0. */
  readonly start?: number;
  /** Called after every so many inputs. */
  readonly onProgress?: (done: number) => void;
}

/** What came of it. */
export interface FuzzResult {
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
}

/** An input that did what none may do. */
export class Finding extends Error {
  /** The name of the class. */
  override name: string = "Finding";
  /** The number of the input. */
  readonly index: number;
  /** The input. */
  readonly input: Uint8Array;

  /**
   * @param index The number of the input.
   * @param input The input.
   * @param cause What happened.
   */
  constructor(index: number, input: Uint8Array, cause: unknown) {
    const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`input ${index}, ${Buffer.from(input).toString("hex")}\n${what}`, { cause });
    this.index = index;
    this.input = input;
  }
}

const PROGRESS = 50_000;

/**
 * Runs a target with inputs that depend on the seed and their number alone.
 *
 * @param target What to run.
 * @param plan How many inputs, and which.
 * @returns Counts.
 * @throws {Finding} At the first input that made it throw, hang, or change a prototype.
 */
export function fuzz(target: Target, { count, seed, start = 0, onProgress }: FuzzPlan): FuzzResult {
  const { samples } = target;
  const pristine = prototypes();
  const verdicts = { alert: 0, refused: 0 };
  let slowestMs = 0;
  for (let index = start; index < start + count; index++) {
    const random = new Random(Math.imul(seed, 0x01000193) + index);
    const input = mutate(random.pick(samples), random, random.pick(samples));
    const startedAt = performance.now();
    try {
      verdicts[target.run(input, random)]++;
      if (prototypes() !== pristine) throw new Error("a prototype has changed");
    } catch (cause) {
      throw new Finding(index, input, cause);
    }
    const ms = performance.now() - startedAt;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > MAX_MS) throw new Finding(index, input, new Error(`it took ${ms.toFixed(0)} ms`));
    if ((index + 1 - start) % PROGRESS === 0) onProgress?.(index + 1 - start);
  }
  return { accepted: verdicts.alert, refused: verdicts.refused, slowestMs };
}

/** What would show that somebody wrote into a prototype that all share. */
function prototypes(): string {
  const shared = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
  return shared.map((prototype) => Reflect.ownKeys(prototype).length).join();
}
