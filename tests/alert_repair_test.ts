/** Lines that are not quite Falco's: what gRPC clients print, and times of all kinds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, AlertTime } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import type { Repair } from "../lib/alert/repair.ts";
import { formatClockTime, formatTime, parseTime, toAlertTime } from "../lib/alert/time.ts";

/** Parses an object, and says what had to be mended. */
function mend(line: string | Record<string, unknown>): { alert: Alert; repairs: Repair[] } {
  const repairs: Repair[] = [];
  const text = typeof line === "string" ? line : JSON.stringify(line);
  const alert = parseAlert(text, { onRepair: (repair) => repairs.push(repair) });
  return { alert, repairs };
}

/** What is the same in all the shapes below. */
const common = {
  rule: "Terminal shell in container",
  output: "00:00:00.000000005: Notice A shell (proc_pid=7)",
  hostname: "node-1",
  tags: ["container", "shell"],
};
const fields = { "proc.name": "sh", "proc.pid": "7", "proc.pname": "<NA>" };
const expected: Alert = {
  ...common,
  time: { seconds: 1767225600, nanos: 5 },
  priority: "notice",
  source: "syscall",
  outputFields: fields,
};
const time = "2026-01-01T00:00:00.000000005Z";

test("parseAlert reads what Falco's Go client prints", () => {
  const { alert, repairs } = mend({
    time: { seconds: 1767225600, nanos: 5 },
    priority: 5,
    ...common,
    output_fields: fields,
    source: "syscall",
  });
  assert.deepEqual(alert, expected);
  assert.deepEqual(repairs, ["time-object", "priority-number"]);
});

test("parseAlert reads what the Go client prints of an alert whose parts are all 0 or empty", () => {
  const { alert, repairs } = mend({ time: {}, source_deprecated: 2, rule: "r" });
  assert.deepEqual(alert, {
    time: { seconds: 0, nanos: 0 },
    priority: "emergency",
    source: "internal",
    rule: "r",
    output: "",
    outputFields: {},
    hostname: "",
    tags: [],
  });
  assert.deepEqual(repairs, ["time-object", "priority-absent", "source-name"]);
});

test("parseAlert reads what Falco's Python client prints", () => {
  const { alert, repairs } = mend({
    time: "2026-01-01T00:00:00.391768+00:00",
    priority: "notice",
    source: "syscall",
    ...common,
    output_fields: fields,
  });
  assert.deepEqual(alert, { ...expected, time: { seconds: 1767225600, nanos: 391768000 } });
  assert.deepEqual(repairs, ["time-offset", "time-precision", "priority-name"]);
});

test("parseAlert reads what grpcurl prints", () => {
  const { alert, repairs } = mend({
    time,
    priority: "NOTICE",
    ...common,
    outputFields: fields,
    source: "syscall",
  });
  assert.deepEqual(alert, expected);
  assert.deepEqual(repairs, ["key-spelling", "priority-name"]);

  const plugin = mend({ time, sourceDeprecated: "PLUGIN", rule: "r", source: "okta" });
  assert.equal(plugin.alert.source, "okta");
  assert.equal(plugin.alert.priority, "emergency");
  assert.equal("omitted" in plugin.alert, false);
  assert.deepEqual(plugin.repairs, ["key-spelling", "priority-absent"]);
});

test("parseAlert reads what grpc-js prints", () => {
  const { alert, repairs } = mend({
    time: { seconds: "1767225600", nanos: 5 },
    priority: "NOTICE",
    source_deprecated: "SYSCALL",
    ...common,
    output_fields: fields,
    source: "",
  });
  assert.deepEqual(alert, expected);
  assert.deepEqual(repairs, ["time-object", "priority-name", "source-name"]);
});

test("parseAlert reads every spelling of the sources", () => {
  const cases: [parts: Record<string, unknown>, source: string, repairs: Repair[]][] = [
    [{ source: "syscall" }, "syscall", []],
    [{ source: "SYSCALL" }, "syscall", ["source-name"]],
    [{ source: "K8s_audit" }, "k8s_audit", ["source-name"]],
    [{ source: "INTERNAL" }, "internal", ["source-name"]],
    [{ source: "PLUGIN" }, "plugin", ["source-name"]],
    [{ source: "Okta" }, "Okta", []], // a plugin's own name is left alone
    [{ source: "aws_cloudtrail", source_deprecated: 3 }, "aws_cloudtrail", []],
    [{ source_deprecated: 0 }, "syscall", ["source-name"]],
    [{ source_deprecated: 1 }, "k8s_audit", ["source-name"]],
    [{ source: "", source_deprecated: "K8S_AUDIT" }, "k8s_audit", ["source-name"]],
    [{ source_deprecated: 9 }, "", []],
    [{ source_deprecated: null }, "", []],
    [{}, "", []],
  ];
  for (const [parts, source, repairs] of cases) {
    const { alert, repairs: found } = mend({ ...common, time, priority: "Notice", ...parts });
    assert.equal(alert.source, source, JSON.stringify(parts));
    assert.deepEqual(found, repairs, JSON.stringify(parts));
  }
});

test("parseAlert reads every spelling of the priorities", () => {
  for (const name of ["INFORMATIONAL", "informational", "info", "INFO", "iNfO"]) {
    const { alert, repairs } = mend({ ...common, time, priority: name });
    assert.equal(alert.priority, "informational", name);
    assert.deepEqual(repairs, ["priority-name"], name);
  }
  assert.deepEqual(mend({ ...common, time, priority: "Informational" }).repairs, []);
  assert.deepEqual(mend({ ...common, time, priority: 7 }), {
    alert: { ...parseAlert(JSON.stringify({ ...common, time, priority: "Debug" })) },
    repairs: ["priority-number"],
  });
});

test("parseAlert does not call a Falco line mended, nor a client's line one with omissions", () => {
  const { tags: _, ...rest } = common;
  const line = mend({ ...rest, time, priority: "Notice" });
  assert.deepEqual(line.repairs, []);
  assert.deepEqual(line.alert.omitted, ["output_fields", "tags"]);
  const client = mend({ ...rest, time: { seconds: 1, nanos: 0 }, priority: 5 });
  assert.equal("omitted" in client.alert, false);
});

test("parseAlert works without onRepair, and passes on what it throws", () => {
  const line = JSON.stringify({ ...common, time, priority: "NOTICE" });
  assert.equal(parseAlert(line).priority, "notice");
  const stop = new Error("enough");
  const onRepair = () => {
    throw stop;
  };
  assert.throws(() => parseAlert(line, { onRepair }), stop);
});

const readable: [text: string, time: AlertTime, repairs: Repair[]][] = [
  ["2026-01-01T00:00:00.000000005Z", { seconds: 1767225600, nanos: 5 }, []],
  ["2023-05-25T13:44:05.478445995Z", { seconds: 1685022245, nanos: 478445995 }, []],
  ["0001-01-01T00:00:00.000000000Z", { seconds: -62135596800, nanos: 0 }, []],
  ["0099-12-31T23:59:59.000000000Z", { seconds: -59011459201, nanos: 0 }, []],
  ["1969-12-31T23:59:59.999999999Z", { seconds: -1, nanos: 999999999 }, []],
  ["9999-12-31T23:59:59.999999999Z", { seconds: 253402300799, nanos: 999999999 }, []],
  ["2024-02-29T12:00:00.000000000Z", { seconds: 1709208000, nanos: 0 }, []],
  // A leap second is the first second of what comes after it, as in POSIX.
  ["2016-12-31T23:59:60.500000000Z", { seconds: 1483228800, nanos: 500000000 }, []],
  ["2026-01-01T00:00:00Z", { seconds: 1767225600, nanos: 0 }, ["time-precision"]],
  ["2021-01-11T23:46:19.82302759Z", { seconds: 1610408779, nanos: 823027590 }, ["time-precision"]],
  ["2026-01-01T00:00:00.5Z", { seconds: 1767225600, nanos: 500000000 }, ["time-precision"]],
  ["2026-01-01T00:00:00.1234567899Z", { seconds: 1767225600, nanos: 123456789 }, [
    "time-precision",
  ]],
  ["2026-01-01t00:00:00.000000000z", { seconds: 1767225600, nanos: 0 }, []],
  ["2026-01-01 00:00:00.000000000Z", { seconds: 1767225600, nanos: 0 }, []],
  ["2026-01-01T00:00:00.000000000+00:00", { seconds: 1767225600, nanos: 0 }, ["time-offset"]],
  ["2026-01-01T02:00:00.000000000+02:00", { seconds: 1767225600, nanos: 0 }, ["time-offset"]],
  ["2026-01-01T05:30:00.000000000+0530", { seconds: 1767225600, nanos: 0 }, ["time-offset"]],
  ["2025-12-31T16:30:00.000000000-07:30", { seconds: 1767225600, nanos: 0 }, ["time-offset"]],
  ["2026-01-01T02:00:00.000000000Z+2", { seconds: 1767225600, nanos: 0 }, ["time-offset"]],
  ["2026-01-01T02:00:00+2", { seconds: 1767225600, nanos: 0 }, ["time-offset", "time-precision"]],
  // An offset can lead out of the years that a time can have.
  ["0001-01-01T00:00:00.000000000+01:00", { seconds: -62135596800, nanos: 0 }, ["time-offset"]],
  ["9999-12-31T23:59:59.000000000-01:00", { seconds: 253402300799, nanos: 0 }, ["time-offset"]],
];

for (const [text, moment, repairs] of readable) {
  test(`parseAlert reads the time ${text}`, () => {
    const found = mend({ ...common, time: text, priority: "Notice" });
    assert.deepEqual(found.alert.time, moment);
    assert.deepEqual(found.repairs, repairs);
    const written = JSON.parse(formatAlert(found.alert)).time;
    assert.deepEqual(parseTime(written)?.time, moment);
    if (repairs.length === 0 && !text.includes(":60") && /T.*Z/.test(text)) {
      assert.equal(written, text);
    }
  });
}

test("parseAlert keeps the times of gRPC clients to what can be written", () => {
  const cases: [time: string, moment: AlertTime][] = [
    ['{"seconds":1e300}', { seconds: 253402300799, nanos: 0 }],
    ['{"seconds":"-99999999999999999999"}', { seconds: -62135596800, nanos: 0 }],
    ['{"seconds":-0,"nanos":-1}', { seconds: 0, nanos: 0 }],
    ['{"seconds":"-0","nanos":1000000000}', { seconds: 0, nanos: 999999999 }],
    ['{"nanos":7}', { seconds: 0, nanos: 7 }],
  ];
  for (const [text, moment] of cases) {
    const { alert, repairs } = mend(`{"rule":"r","priority":1,"time":${text}}`);
    assert.deepEqual(alert.time, moment, text);
    assert.deepEqual(repairs, ["time-object", "priority-number"], text);
  }
});

test("formatTime and formatClockTime write nine decimals, and the nearest valid time", () => {
  assert.equal(formatTime({ seconds: 0, nanos: 0 }), "1970-01-01T00:00:00.000000000Z");
  assert.equal(formatTime({ seconds: -1, nanos: 1 }), "1969-12-31T23:59:59.000000001Z");
  assert.equal(formatTime({ seconds: -1e18, nanos: 0 }), "0001-01-01T00:00:00.000000000Z");
  assert.equal(formatTime({ seconds: 1e18, nanos: 1e10 }), "9999-12-31T23:59:59.999999999Z");
  assert.equal(formatTime({ seconds: 1767225600.9, nanos: 5.9 }), time);
  assert.equal(formatClockTime({ seconds: 1767225600, nanos: 5 }), "00:00:00.000000005");
  assert.deepEqual(toAlertTime(NaN, NaN), { seconds: -62135596800, nanos: 0 });
  assert.deepEqual(toAlertTime(-0.5, -0.5), { seconds: 0, nanos: 0 });
  assert.deepEqual(toAlertTime(-Infinity, Infinity), { seconds: -62135596800, nanos: 999999999 });
});
