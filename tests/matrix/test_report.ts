/** What a test runner says: how many tests, and which failed. @module */

/** The counts of a run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Who ran the tests. */
export type Runner = "deno" | "node" | "bun";

/** At most so much is shown of one run. */
const MAX_SHOWN = 12_000;

/**
 * Reads the counts out of what a runner printed.
 *
 * @param runner Which one.
 * @param output All that it printed.
 * @returns The counts; zeros if they are not there, which no caller takes for success. A suite that
 * holds others counts for itself with Deno, and does not with Node and Bun.
 */
export function countTests(runner: Runner, output: string): TestCounts {
  const last = (pattern: RegExp): number => Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
  if (runner === "deno") {
    const line = output.match(/^(?:ok|FAILED) \| .* failed.*$/gm)?.at(-1) ?? "";
    const of = (word: string): number => {
      const [, tests = 0, steps = 0] =
        new RegExp(`(\\d+) ${word}(?: \\((\\d+) steps?\\))?`).exec(line) ?? [];
      return Number(tests) + Number(steps);
    };
    return { passed: of("passed"), failed: of("failed"), skipped: of("ignored") };
  }
  if (runner === "bun") {
    return {
      passed: last(/^ *(\d+) pass$/gm),
      failed: last(/^ *(\d+) fail$/gm) + last(/^ *(\d+) errors?$/gm),
      skipped: last(/^ *(\d+) (?:skip|todo)$/gm),
    };
  }
  return {
    passed: last(/^ℹ pass (\d+)$/gm),
    failed: last(/^ℹ fail (\d+)$/gm) + last(/^ℹ cancelled (\d+)$/gm),
    skipped: last(/^ℹ skipped (\d+)$/gm) + last(/^ℹ todo (\d+)$/gm),
  };
}

/**
 * What a runner printed about tests that failed, and nothing about the others.
 *
 * @param runner Which one.
 * @param output All that it printed.
 * @returns Some lines; the last ones if it says of no test that it failed.
 */
export function failuresOf(runner: Runner, output: string): string {
  const shown = runner === "deno"
    ? after(output, "\n ERRORS \n")
    : runner === "node"
    ? after(output, "\n✖ failing tests:\n")
    : output.split("\n").filter((line) => !/^\((?:pass|skip|todo)\)/.test(line)).join("\n");
  const text = shown ?? output.slice(-3000);
  return text.length <= MAX_SHOWN
    ? text.trim()
    : `${text.slice(0, MAX_SHOWN).trim()}\n... ${text.length - MAX_SHOWN} characters more`;
}

function after(text: string, mark: string): string | undefined {
  const at = text.indexOf(mark);
  return at < 0 ? undefined : text.slice(at + mark.length);
}
