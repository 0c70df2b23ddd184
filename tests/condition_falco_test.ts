/** Conditions mean what they mean to a real Falco, line by line of fixtures/conditions. */
import assert from "node:assert/strict";
import { BlockList } from "node:net";
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
interface LeftOut {
  readonly name: string;
  readonly reason: string;
  readonly lines: number;
  covers(line: SyntaxLine): boolean;
}

const read = <T>(name: string): T[] => readLines(name, folder).map((line) => JSON.parse(line) as T);
const options = ({ lists, macros }: Line) => ({
  ...(lists === undefined ? {} : { lists }),
  ...(macros === undefined ? {} : { macros }),
});

/** Refused after parsing, for what only Falco's catalogue of fields and their types can know. */
const notRefused: readonly LeftOut[] = [
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

/** Lines whose verdict can rest on what an alert does not carry. */
interface Typed {
  readonly name: string;
  readonly reason: string;
  /** How many of them would match otherwise than in Falco. */
  readonly lines: number;
  covers(line: EvaluationLine): boolean;
  /** The same line, with what Falco knows written out: of that, the verdict must be Falco's. */
  spelledOut(line: EvaluationLine): Pick<EvaluationLine, "condition" | "fields">;
}

const mapTexts = (fields: EvaluationLine["fields"], change: (text: string) => string) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? change(value) : value,
    ]),
  );

/** What Falco's unsigned fields of 64 bits make of a number. */
function wrapNumber(text: string): string {
  const value = BigInt(text.replace(/^\+/, ""));
  if (value > 2n ** 64n - 1n) return String(2n ** 64n - 1n);
  return String(BigInt.asUintN(64, value));
}

const typed: readonly Typed[] = [
  {
    name: "order of a field of text",
    reason: "Falco compares bytes, as the field is text; without types, integers are numbers",
    lines: 13,
    covers: ({ condition }) => /^gen\.text [<>]=? \S+$/.test(condition),
    // Two fields that are no numbers are compared as bytes.
    spelledOut({ condition, fields }) {
      const [, operator, right] = /^gen\.text ([<>]=?) (\S+)$/.exec(condition)!;
      const other = /^val\((.*)\)$/.exec(right!)?.[1];
      const texts = other === undefined ? { ...fields, "gen.right": right! } : fields;
      return {
        condition: `gen.text ${operator} val(${other ?? "gen.right"})`,
        fields: mapTexts(texts, (text) => `x${text}`),
      };
    },
  },
  {
    name: "a number in a field of numbers",
    reason: "05, +5, -1 and 2^64 become the number that the unsigned field can hold",
    lines: 33,
    covers: ({ condition }) => condition.includes("gen.num"),
    spelledOut: ({ condition, fields }) => ({
      fields,
      condition: condition.replace(
        /(?<=[ (])"? ?([+-]?\d+)"?(?=[ ,)]|$)/g,
        (_, text: string) => wrapNumber(text),
      ),
    }),
  },
  {
    name: "addresses",
    reason: "an address is compared as an address, however it is spelled",
    lines: 1,
    covers: ({ condition }) => condition.includes("gen.ip"),
    spelledOut: ({ condition, fields }) => ({
      fields,
      condition: condition.replace(
        /"([0-9a-f:]*:[0-9a-f:]*)"/g,
        (_, text: string) => `"${new URL(`http://[${text}]/`).hostname.slice(1, -1)}"`,
      ),
    }),
  },
  {
    name: "networks",
    reason: "a field of networks is equal to every network that it is in",
    lines: 16,
    covers: ({ condition }) => condition.includes("gen.net"),
    spelledOut: ({ condition, fields }) => ({
      condition,
      fields: mapTexts(
        fields,
        (address) =>
          condition.match(/[0-9a-f.:]+\/\d+/g)?.find((network) => isWithin(address, network)) ??
            address,
      ),
    }),
  },
  {
    name: "the text <NA>",
    reason: "an alert has it where there is no value",
    lines: 5,
    covers: ({ fields }) => Object.values(fields).includes("<NA>"),
    spelledOut: ({ condition, fields }) => ({
      condition: condition.replaceAll("<NA>", "a text"),
      fields: mapTexts(fields, (text) => text.replaceAll("<NA>", "a text")),
    }),
  },
];

/** Whether an address is in a network. */
function isWithin(address: string, network: string): boolean {
  const [base, length] = network.split("/") as [string, string];
  const family = base.includes(":") ? "ipv6" : "ipv4";
  if (address.includes(":") !== (family === "ipv6")) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  return list.check(address, family);
}

function splitOff(lines: readonly SyntaxLine[], groups: readonly LeftOut[]): SyntaxLine[] {
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

  const verdict = (line: EvaluationLine, { condition, fields } = line) =>
    matches(condition, fields, {}, options(line));

  it("agree on what matches: 4013 of 4081 lines, 68 left out for what Falco alone knows", () => {
    assert.equal(events.length, 4081);
    const differ = new Map(typed.map(({ name }) => [name, 0]));
    const wrong = events.filter((line) => {
      if (verdict(line) === line.matches) return false;
      const name = typed.find((one) => one.covers(line))?.name;
      if (name !== undefined) differ.set(name, differ.get(name)! + 1);
      return name === undefined;
    });
    assert.deepEqual(wrong, []);
    assert.deepEqual([...differ], typed.map(({ name, lines }) => [name, lines]));
  });

  for (const group of typed) {
    it(`agree on ${group.name} once it is said what Falco knows of it`, () => {
      const lines = events.filter((line) => group.covers(line));
      const wrong = lines.filter((line) =>
        verdict(line, group.spelledOut(line) as EvaluationLine) !== line.matches
      );
      assert.deepEqual(wrong, []);
    });
  }
});
