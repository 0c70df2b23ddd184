/** What the tests of wrong scenario files share. @module */
import assert from "node:assert/strict";
import { it } from "node:test";
import { parseScenario } from "../harness/parse_scenario.ts";
import { AlertFormatError } from "../lib/errors.ts";

/** A file up to its alerts. */
export const HEAD = "version: 1\nname: n\n";
/** A file up to the last key of its only alert. */
export const ALERT = `${HEAD}alerts:\n- priority: notice\n  rule: r\n  output: o\n`;

/** A wrong file. */
export interface Mistake {
  /** The file, with a `¦` where the error is. */
  readonly text: string;
  /** The message, after "Cannot read the scenario: ". */
  readonly problem: string;
}

/** Takes the `¦` out of a text and says where it was. */
export function marked(text: string): { text: string; line: number; column: number } {
  const lines = text.split("¦")[0]!.split("\n");
  assert.equal(text.split("¦").length, 2, "one mark");
  return { text: text.replace("¦", ""), line: lines.length, column: lines.at(-1)!.length + 1 };
}

/** A test that a file is refused with the message, at the place. */
export function refuses({ text: markedText, problem }: Mistake): void {
  it(`refuses ${JSON.stringify(markedText.replace(ALERT, "... ").replace(HEAD, "... "))}`, () => {
    const { text, line, column } = marked(markedText);
    assert.throws(() => parseScenario(text), (error) => {
      assert(error instanceof AlertFormatError);
      const { message } = error;
      assert.deepEqual(
        { message, line: error.line, column: error.column },
        { message: `Cannot read the scenario: ${problem}`, line, column },
      );
      return true;
    });
  });
}

/** Asserts that a file is refused, somewhere. */
export function assertRefused(text: string, message: RegExp): void {
  assert.throws(() => parseScenario(text), { name: "AlertFormatError", message });
}
