/** Files of alerts: what is understood, and where errors point. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { buildAlert } from "../harness/build_alert.ts";
import { FixtureError } from "../harness/fixtures/fixture.ts";
import { openFixture, scenarioFixture } from "../harness/fixtures/open_fixture.ts";
import { readJsonAlerts } from "../harness/fixtures/read_json_alerts.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import type { Repair } from "../lib/alert/repair.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { AlertFormatError } from "../lib/errors.ts";

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

const one = buildAlert({ rule: "one" });
const two = buildAlert({ rule: "two" });
const wire = (method: string, bytes: Uint8Array): string =>
  JSON.stringify({ method, wire: Buffer.from(bytes).toString("base64") });

async function* groups(...all: string[][]): AsyncGenerator<string[]> {
  yield* all;
}

async function read(lines: string[], onRepair?: (repair: Repair) => void): Promise<string[]> {
  const rules: string[] = [];
  for await (const alerts of readJsonAlerts(groups(lines), onRepair)) {
    rules.push(...alerts.map(({ rule }) => rule));
  }
  return rules;
}

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

describe("readJsonAlerts()", () => {
  it("reads lines, arrays, wire messages and printed objects, mixed as they come", async () => {
    const printed = JSON.stringify(JSON.parse(formatAlert(two)), null, 2).split("\n");
    const lines = [
      formatAlert(one),
      "",
      `[${formatAlert(one)},${formatAlert(two)}]`,
      wire("/falco.version.service/version", new Uint8Array()),
      wire("/falco.outputs.service/get", encodeAlert(two)),
      wire("falco.outputs.service/sub", encodeAlert(one)),
      ...printed,
      "   ",
      formatAlert(one),
    ];
    const expected = ["one", "one", "two", "two", "one", "two", "one"];
    assert.deepEqual(await read(lines), expected);
    // The same a line at a time: nothing rests on how the lines were grouped.
    const rules: string[] = [];
    for await (const alerts of readJsonAlerts(groups(...lines.map((line) => [line])))) {
      rules.push(...alerts.map(({ rule }) => rule));
    }
    assert.deepEqual(rules, expected);
  });

  it("hands over what was good before it fails, with the line in the whole file", async () => {
    const rules: string[] = [];
    const lines = [[formatAlert(one), formatAlert(two)], [formatAlert(one), '{"rule": }']];
    await assert.rejects(async () => {
      for await (const alerts of readJsonAlerts(groups(...lines))) {
        rules.push(...alerts.map(({ rule }) => rule));
      }
    }, (error: AlertFormatError) => {
      assert(error instanceof AlertFormatError);
      assert.deepEqual([error.line, error.column], [4, 10]);
      return true;
    });
    assert.deepEqual(rules, ["one", "two", "one"]);
  });

  const cases: readonly {
    name: string;
    lines: string[];
    place: [number, number];
    message: RegExp;
  }[] = [
    {
      name: "a printed object",
      lines: ["", "{", '  "rule": "r",', "  nope", "}"],
      place: [4, 3],
      message: /found "nope"/,
    },
    {
      name: "a printed object without its end",
      lines: ["{", '  "rule": "r"'],
      place: [2, 14],
      message: /the text ends, expected "," or "}"/,
    },
    {
      name: "a printed object that is no alert",
      lines: ["", "{", '  "rule": 5', "}"],
      place: [3, 11],
      message: /"rule" must be text/,
    },
    {
      name: "base64",
      lines: ['{"method":"/falco.outputs.service/get","wire":"###"}'],
      place: [1, 1],
      message: /not base64/,
    },
    {
      name: "a message",
      lines: [wire("/falco.outputs.service/get", Uint8Array.of(0x22, 5))],
      place: [1, 1],
      message: /Cannot decode the alert: /,
    },
    {
      name: "a version",
      lines: [wire("/falco.version.service/version", Uint8Array.of(0x0a, 5))],
      place: [1, 1],
      message: /that is no version/,
    },
    {
      name: "a method",
      lines: [wire("/grpc.health.v1.Health/Check", new Uint8Array())],
      place: [1, 1],
      message: /unknown method "\/grpc/,
    },
    {
      name: "an element of an array",
      lines: [`[${formatAlert(one)},7]`],
      place: [1, 1],
      message: /expected a JSON object/,
    },
  ];
  for (const { name, lines, place, message } of cases) {
    it(`points at ${name} that is no good`, async () => {
      await assert.rejects(() => read(lines), (error: AlertFormatError) => {
        assert(error instanceof AlertFormatError, String(error));
        assert.deepEqual([error.line, error.column], place);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("reports each repair", async () => {
    const repairs: Repair[] = [];
    const line = formatAlert(one).replace('"Notice"', '"NOTICE"');
    await read([line, formatAlert(two), line], (repair) => repairs.push(repair));
    assert.deepEqual(repairs, ["priority-name", "priority-name"]);
  });
});

describe("openFixture()", () => {
  it("reads a file as often as it is asked, by path and by URL", async () => {
    const path = file("two.ndjson", `${formatAlert(one)}\r\n${formatAlert(two)}`);
    for (const name of [path, pathToFileURL(path).href]) {
      const fixture = await openFixture(name);
      assert.equal(fixture.name, name);
      assert(fixture.isRepeatable);
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(await Array.fromAsync(fixture.alerts()), [one, two]);
      }
    }
  });

  it("says of a line that was cut off what to do with it, and of no other", async () => {
    const [whole, half] = [formatAlert(one), formatAlert(two).slice(0, 90)];
    const printed = JSON.stringify(JSON.parse(formatAlert(two)), null, 2).slice(0, 90);
    const remedy =
      /^.+cut\.jsonl:\d+:\d+: .+\. If the file was cut off there, .+ delete what is left/;
    for (
      const [text, expected] of [
        [`${whole}\n${half}`, remedy],
        [`${whole}\n${printed}`, remedy],
        [`${whole}\n${printed.slice(0, printed.lastIndexOf("\n") + 1)}`, remedy],
        [`${whole}\n${half}\n`, /is not closed$/],
        [`${whole}\n${half}\n${whole}`, /is not closed$/],
        [`${whole}\n{"a":1}`, /has no "rule"$/],
      ] as const
    ) {
      const fixture = await openFixture(file("cut.jsonl", text));
      const rules: string[] = [];
      await assert.rejects(async () => {
        for await (const { rule } of fixture.alerts()) rules.push(rule);
      }, (error: FixtureError) => {
        assert.match(error.message, expected);
        return true;
      });
      assert.deepEqual(rules, ["one"]);
    }
  });

  it("reads a scenario, whose version and alerts are those of its text", async () => {
    const path = file(
      "s.yaml",
      'version: 1\nname: s\nfalcoVersion: "0.40.0"\nalerts:\n  - { priority: debug, rule: r, output: o }\n',
    );
    const fixture = await openFixture(path);
    assert.equal(fixture.falcoVersion, "0.40.0");
    assert.deepEqual((await Array.fromAsync(fixture.alerts())).map(({ rule }) => rule), ["r"]);
  });

  it("leaves no file open when its reader leaves early", async () => {
    const path = file("many.jsonl", `${formatAlert(one)}\n`.repeat(20_000));
    const fixture = await openFixture(path);
    for (let round = 0; round < 20; round++) {
      for await (const alert of fixture.alerts()) {
        assert.equal(alert.rule, "one");
        break;
      }
    }
  });

  it("reads bytes that are not UTF-8 as U+FFFD", async () => {
    const bytes = Buffer.from(`${formatAlert(buildAlert({ rule: "bad ? byte" }))}\n`);
    bytes[bytes.indexOf("?")] = 0xff;
    const path = join(folder.path, "latin.jsonl");
    writeFileSync(path, bytes);
    const [alert] = await Array.fromAsync((await openFixture(path)).alerts());
    assert.equal(alert?.rule, "bad \ufffd byte");
  });

  const cases: readonly { name: string; path: () => string; message: RegExp }[] = [
    {
      name: "no file",
      path: () => "nope.jsonl",
      message: /^nope\.jsonl: no such file\. Check the path$/,
    },
    {
      name: "a file where a folder should be",
      path: () => `${file("f", "")}/x.jsonl`,
      message: /x\.jsonl: no such file/,
    },
    {
      name: "an unknown kind",
      path: () => "alerts.txt",
      message: /^alerts\.txt: unknown kind of fixture\. Name it \.yaml/,
    },
    {
      name: "a bad scenario",
      path: () => file("bad.yaml", "version: 2\n"),
      message: /bad\.yaml:1:10: /,
    },
  ];
  for (const { name, path, message } of cases) {
    it(`refuses ${name}`, async () => {
      const given = path();
      await assert.rejects(() => openFixture(given), (error: FixtureError) => {
        assert(error instanceof FixtureError, String(error));
        assert.match(error.message, message);
        assert.equal(error.file, given);
        return true;
      });
    });
  }

  it("refuses a folder", async () => {
    const { mkdirSync } = await import("node:fs");
    const path = join(folder.path, "folder.jsonl");
    mkdirSync(path);
    await assert.rejects(() => openFixture(path), /folder\.jsonl: that is a folder/);
  });
});

describe("scenarioFixture()", () => {
  it("plays a scenario as often as it is asked", async () => {
    const fixture = scenarioFixture(scenarios.shellInContainer);
    const first = await Array.fromAsync(fixture.alerts());
    assert.deepEqual(await Array.fromAsync(fixture.alerts()), first);
    assert.equal(fixture.name, scenarios.shellInContainer.name);
  });
});
