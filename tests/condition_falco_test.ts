/** Conditions mean what they mean to a real Falco, line by line of fixtures/conditions. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FieldValue } from "../lib/alert/alert.ts";
import { parseCondition } from "../lib/condition/mod.ts";
import { errorOf, matches } from "./condition_alerts.ts";
import { readLines } from "./recordings.ts";

const folder = new URL("fixtures/conditions/", import.meta.url);

interface Line {
  readonly condition: string;
  readonly lists?: Record<string, (string | number)[]>;
  readonly macros?: Record<string, string>;
}

interface SyntaxLine extends Line {
  readonly accepted: boolean;
  readonly error: string | null;
  readonly stage: "syntax" | "compile" | null;
}

interface EvaluationLine extends Line {
  readonly fields: Record<string, FieldValue>;
  readonly matches: boolean;
}

/** Lines that are not compared, and why. */
interface LeftOut<T> {
  readonly name: string;
  readonly reason: string;
  readonly lines: number;
  covers(line: T): boolean;
}

const read = <T>(name: string): T[] => readLines(name, folder).map((line) => JSON.parse(line) as T);
const options = ({ lists, macros }: Line) => ({
  ...(lists === undefined ? {} : { lists }),
  ...(macros === undefined ? {} : { macros }),
});

/** Refused after parsing, for what only Falco's catalogue of fields and their types can know. */
const notRefused: readonly LeftOut<SyntaxLine>[] = [
  {
    name: "unknown field",
    reason: "there is no catalogue of fields here",
    lines: 14,
    covers: ({ error }) => /nonexistent field|unknown event argument/.test(error!),
  },
  {
    name: "argument of a field",
    reason: "the catalogue says which fields take which arguments",
    lines: 16,
    covers: ({ error }) => /argument|filter syntax error|^name is not a valid number/.test(error!),
  },
  {
    name: "value of a number, a truth value, an address or a port",
    reason: "the type of the field says which values it takes",
    lines: 46,
    covers: ({ condition, error }) =>
      /not a valid number|unrecognized|invalid netmask|invalid v6 netmask/.test(error!) &&
      !condition.startsWith("len("),
  },
  {
    name: "operator",
    reason: "the type of the field says which operators it takes",
    lines: 20,
    covers: ({ condition, error }) =>
      /operator not supported/.test(error!) && !condition.startsWith("len("),
  },
  {
    name: "function of a field",
    reason: "the type of the field says which functions it takes",
    lines: 5,
    covers: ({ condition, error }) =>
      /can't add field transformer/.test(error!) && !condition.includes("(len("),
  },
  {
    name: "field on the right",
    reason: "the types of both fields say whether they can be compared",
    lines: 12,
    covers: ({ error }) => /right-hand side field/.test(error!) && !/^operator/.test(error!),
  },
];

const aNumber = (value: FieldValue | undefined) =>
  typeof value === "string" && /^[0-9]+$/.test(value);

/** Verdicts that rest on the type of a field, and what an alert cannot carry. */
const notCompared: readonly LeftOut<EvaluationLine>[] = [
  {
    name: "order of numbers in a field of text",
    reason: "Falco compares their bytes, as the field is text; without types, integers are numbers",
    lines: 45,
    covers: ({ condition, fields }) =>
      /gen\.text\)? [<>]/.test(condition) && aNumber(fields["gen.text"]) &&
      (!condition.includes("val(") || aNumber(fields["gen.other"])),
  },
  {
    name: "another spelling of a number in a field of numbers",
    reason: "05, +5, -1 and 2^64 become the number that the unsigned field can hold",
    lines: 104,
    covers: ({ condition }) =>
      /gen\.num .*(?:\b0\d|[+-]\d|" 5"|18446744073709551616|9{20})/.test(condition),
  },
  {
    name: "another spelling of an address",
    reason: "an address is compared as an address",
    lines: 6,
    covers: ({ condition }) => condition.includes("0:0:0:0:0:0:0:1"),
  },
  {
    name: "networks",
    reason: "a field of networks is equal to every network that it is in",
    lines: 71,
    covers: ({ condition }) => condition.includes("gen.net"),
  },
  {
    name: "the text <NA>",
    reason: "an alert has it where there is no value",
    lines: 23,
    covers: ({ fields }) => Object.values(fields).includes("<NA>"),
  },
  {
    name: "a list that begins with an empty text",
    reason: "Falco 0.43.1 takes it for one empty text, and loses the rest",
    lines: 21,
    covers: ({ fields }) => {
      const list = fields["gen.words"];
      return Array.isArray(list) && list.length > 1 && list[0] === "";
    },
  },
];

function splitOff<T>(lines: readonly T[], groups: readonly LeftOut<T>[]): T[] {
  const counts = new Map(groups.map(({ name }) => [name, 0]));
  const rest = lines.filter((line) => {
    const group = groups.find((one) => one.covers(line));
    if (group !== undefined) counts.set(group.name, counts.get(group.name)! + 1);
    return group === undefined;
  });
  assert.deepEqual(
    Object.fromEntries(counts),
    Object.fromEntries(groups.map(({ name, lines }) => [name, lines])),
  );
  return rest;
}

describe("conditions and a real Falco", () => {
  const syntax = read<SyntaxLine>("syntax.jsonl");
  const events = [
    ...read<EvaluationLine>("evaluation.jsonl"),
    ...read<EvaluationLine>("evaluation-lists.jsonl"),
  ];

  it("agree on what the grammar is: all 843 lines", () => {
    assert.equal(syntax.length, 843);
    const wrong = syntax.filter((line) => {
      let accepted = true;
      try {
        // A macro is text of its own, and refuses the file if it is wrong.
        for (const macro of Object.values(line.macros ?? {})) parseCondition(macro, options(line));
        parseCondition(line.condition, options(line));
      } catch {
        accepted = false;
      }
      return accepted !== (line.stage !== "syntax");
    });
    assert.deepEqual(wrong, []);
  });

  it("agree on what is refused after parsing, without types: 730 lines, 113 left out", () => {
    const refused = syntax.filter(({ stage }) => stage === "compile");
    const checked = splitOff(refused, notRefused);
    assert.equal(checked.length, 28);
    const all = [...checked, ...syntax.filter(({ stage }) => stage !== "compile")];
    assert.equal(all.length, 730);
    const wrong = all.filter((line) =>
      (errorOf(line.condition, options(line)) === undefined) !== line.accepted
    );
    assert.deepEqual(wrong, []);
  });

  it("agree on what matches: 3811 lines, 270 left out", () => {
    assert.equal(events.length, 4081);
    const checked = splitOff(events, notCompared);
    assert.equal(checked.length, 3811);
    const wrong = checked.filter((line) =>
      matches(line.condition, line.fields, {}, options(line)) !== line.matches
    );
    assert.deepEqual(wrong, []);
  });

  it("leave out only what the types decide: each group has lines that differ", () => {
    for (const group of notCompared) {
      const differs = events.some((line) =>
        group.covers(line) &&
        matches(line.condition, line.fields, {}, options(line)) !== line.matches
      );
      assert(differs, group.name);
    }
  });
});
