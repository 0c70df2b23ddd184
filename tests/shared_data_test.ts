/**
 * Alerts that may be read here but not kept here: they lie in a folder beside the checkout where the
 * project is worked on, and nowhere else.
 */
import { equals, fromBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { responseSchema } from "../gen/outputs_pb.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import type { Repair } from "../lib/alert/repair.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { readLines, readWires } from "./recordings.ts";
import { runCli } from "./run_cli.ts";
import { partsOf } from "./wire_parts.ts";

const folder = new URL("../../shared/data/", import.meta.url);

/** Why the tests cannot run; undefined if they can. */
function obstacle(): string | undefined {
  try {
    readdirSync(folder);
    return undefined;
  } catch {
    return "there is no folder ../shared/data beside this checkout, or no permission to read it";
  }
}

const skip = obstacle() ?? false;
/** Deno does not print the reason for a skip. */
const note = skip === false ? "" : ` (skipped: ${skip})`;

test(`parseAlert reads every sample, of many Falcos and of clients${note}`, { skip }, () => {
  const lines = readLines("sample-alerts.ndjson", folder);
  assert.equal(lines.length, 62);
  const repairs = new Map<Repair, number>();
  for (const line of lines) {
    const alert = parseAlert(line, {
      onRepair: (repair) => repairs.set(repair, (repairs.get(repair) ?? 0) + 1),
    });
    assert.notEqual(alert.rule, "");
    const sample = JSON.parse(line);
    assert.deepEqual(Object.keys(alert.outputFields), Object.keys(sample.output_fields), line);
    // Written once more it is Falco's own line, without the keys that say where it was found.
    const written = formatAlert(alert);
    assert.deepEqual(parseAlert(written, { onRepair: assert.fail }), alert);
    assert.equal("_from" in JSON.parse(written), false);
  }
  assert.deepEqual(Object.fromEntries(repairs), {
    "priority-name": 4,
    "source-name": 2,
    "time-object": 2,
    "time-offset": 3,
    "time-precision": 5,
  });
});

test(`decodeAlert and encodeAlert give back every recorded system call${note}`, { skip }, () => {
  const wires = readWires("recorded/syscall.wire.jsonl", folder);
  assert.equal(wires.length, 27);
  for (const wire of wires) {
    const alert = decodeAlert(wire);
    assert.equal(alert.source, "syscall");
    const message = fromBinary(responseSchema, wire);
    assert.deepEqual(alert.outputFields, message.outputFields);
    const encoded = encodeAlert(alert);
    assert(equals(responseSchema, fromBinary(responseSchema, encoded), message));
    assert.deepEqual(partsOf(encoded), partsOf(wire));
  }
});

test(
  `replay plays every sample, and says what it mended and what gRPC changed${note}`,
  { skip },
  async () => {
    const path = fileURLToPath(new URL("sample-alerts.ndjson", folder));
    const expected = readLines("sample-alerts.ndjson", folder)
      .map((line) => formatAlert(decodeAlert(encodeAlert(parseAlert(line)))));
    const { status, stdout, stderr } = await runCli(["replay", path, "--format", "json"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split("\n"), expected);
    assert.match(stderr, /62 in, 62 out, 0 dropped/);
    assert.match(stderr, /^repaired: +\S+ \d/m);
    assert.match(stderr, /^altered: +\d+ by gRPC/m);
  },
);
