/** Lines of alerts, log and summary, byte by byte against what a real Falco wrote. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FalcoLog } from "../harness/outputs/falco_log.ts";
import { formatLogTime, formatSyslogTime } from "../harness/outputs/local_time.ts";
import { formatOutput } from "../harness/outputs/output_format.ts";
import type { OutputFormat } from "../harness/outputs/output_format.ts";
import { OutputSummary } from "../harness/outputs/output_summary.ts";
import { decodeAlert } from "../lib/alert/wire.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { readLines, readObjects, readWires } from "./recordings.ts";
import type { InternalCase, PropertiesCase } from "./recordings.ts";

const plain: OutputFormat = {
  minor: 43,
  json: true,
  includeOutput: true,
  includeTags: true,
  includeMessage: false,
  includeOutputFields: true,
  isoTime: false,
};
const text: OutputFormat = { ...plain, json: false };
const read = (name: string): string =>
  readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url), "utf8");
/** Falco writes local times; the recordings were made in UTC. */
const isUtc = new Date(0).getHours() === 0 && new Date(0).getTimezoneOffset() === 0;

/** The alerts of stdout-json.txt and the like; the summary behind them. */
function recorded(name: string): { lines: string[]; summary: string } {
  const whole = read(name);
  const end = whole.indexOf("Events detected");
  return { lines: whole.slice(0, end).trimEnd().split("\n"), summary: whole.slice(end) };
}

describe("formatOutput", { skip: !isUtc }, () => {
  it("gives back the JSON lines of a real Falco", () => {
    const { lines } = recorded("stdout-json.txt");
    assert.equal(lines.length, 8);
    for (const line of lines) assert.equal(formatOutput(parseAlert(line), plain), line);
    const iso = recorded("stdout-json-iso8601.txt").lines;
    for (const line of iso) {
      assert.equal(formatOutput(parseAlert(line), { ...plain, isoTime: true }), line);
    }
  });

  it("writes the JSON of the same alerts that came over gRPC", () => {
    // Line N of one is line N+1 of the other; the fields of gRPC are text, all else is the same.
    const lines = readLines("mixed-json-output.alerts.jsonl");
    const wires = readWires("mixed-json-output.wire.jsonl");
    assert.equal(wires.length, lines.length);
    for (const [index, wire] of wires.entries()) {
      const written = JSON.parse(formatOutput(parseAlert(decodeAlert(wire).output), plain));
      assert.deepEqual(written, JSON.parse(lines[index]!));
    }
  });

  it("writes text, line breaks and all, from JSON and from gRPC", () => {
    const { lines } = recorded("stdout-text.txt");
    const joined = `${lines.join("\n")}\n`;
    const alerts = recorded("stdout-json.txt").lines.map((line) => parseAlert(line));
    const written = alerts.map((alert) => `${formatOutput(alert, text)}\n`).join("");
    // Two runs: the same but for the times.
    const times = /\d\d:\d\d:\d\d\.\d{9}|\d{19}/g;
    assert.equal(written.replace(times, "T"), joined.replace(times, "T"));
    for (const wire of readWires("mixed.wire.jsonl")) {
      const alert = decodeAlert(wire);
      assert.equal(formatOutput(alert, text), alert.output);
    }
  });

  it("turns one time format into the other", () => {
    const [line] = recorded("stdout-json.txt").lines;
    const alert = parseAlert(line!);
    const iso = formatOutput(alert, { ...text, isoTime: true });
    assert.match(iso, /^2026-11-21T00:06:\d\d\.\d{9}\+0000: Alert ALERT seq=1/);
    const fields = JSON.parse(formatOutput(alert, { ...plain, isoTime: true })).output_fields;
    assert(!("evt.time" in fields));
    assert("evt.time.iso8601" in fields);
    // This rule prints the ISO time itself, so the field stays whatever the prefix is.
    const isoLine = recorded("stdout-json-iso8601.txt").lines[0]!;
    const clockFields = JSON.parse(formatOutput(parseAlert(isoLine), plain)).output_fields;
    assert("evt.time" in clockFields && "evt.time.iso8601" in clockFields);
  });

  it("adds evt.time to an alert without it, exact", () => {
    const alert = buildAlert({ time: { seconds: 1767225600, nanos: 5 }, outputFields: {} });
    assert.match(formatOutput(alert, plain), /"output_fields":{"evt\.time":1767225600000000005}/);
  });

  it("leaves out what each of the 16 combinations leaves out", () => {
    let count = 0;
    const full = readObjects<PropertiesCase>("json-properties.jsonl")
      .map((recorded) => ({ ...recorded, alert: parseAlert(recorded.line) }));
    for (const { case: name, config, line } of full) {
      if (!name.startsWith("output=")) continue;
      count++;
      const format: OutputFormat = {
        ...plain,
        includeOutput: config["json_include_output_property"] === true,
        includeTags: config["json_include_tags_property"] === true,
        includeMessage: config["json_include_message_property"] === true,
        includeOutputFields: config["json_include_output_fields_property"] === true,
      };
      const { time } = parseAlert(line);
      // The complete alert at the time of this one.
      const complete = formatOutput({
        ...parseAlert(full[0]!.line),
        time,
        outputFields: { "gen.seq": 1, "gen.text": "a0" },
      }, format);
      assert.equal(complete, line, name);
    }
    assert.equal(count, 16);
  });

  it("gives back rules without tags, unsorted tags, absent values and appended fields", () => {
    for (
      const { case: name, config, line } of readObjects<PropertiesCase>("json-properties.jsonl")
    ) {
      if (name.startsWith("output=")) continue;
      const includeOutputFields = config["json_include_output_fields_property"] !== false;
      assert.equal(formatOutput(parseAlert(line), { ...plain, includeOutputFields }), line, name);
    }
    const alert = buildAlert({ tags: ["b", "A", "a", "b"] });
    assert.match(formatOutput(alert, plain), /"tags":\["A","a","b"\]/);
  });

  it("gives back Falco's internal alerts as JSON and as text", () => {
    for (const { json_output, file, wires } of readObjects<InternalCase>("internal.jsonl")) {
      const format = json_output ? plain : text;
      if (json_output) {
        for (const line of file.trimEnd().split("\n")) {
          const written = formatOutput(parseAlert(line), format);
          // A float such as 20.0 comes back as 20.
          assert.deepEqual(JSON.parse(written), JSON.parse(line));
          assert.equal(
            Object.keys(JSON.parse(written)).join(),
            Object.keys(JSON.parse(line)).join(),
          );
        }
      } else {
        const alerts = wires.map((wire) =>
          decodeAlert(new Uint8Array(Buffer.from(wire, "base64")))
        );
        assert.equal(alerts.map((alert) => `${formatOutput(alert, format)}\n`).join(""), file);
      }
    }
  });

  it("puts the fields of an internal alert into its text, quoted as JSON", () => {
    const alert = buildAlert({
      source: "internal",
      priority: "informational",
      rule: "Falco internal: metrics snapshot",
      output: "Falco metrics snapshot",
      outputFields: { "b": "x", "a": 1 },
    });
    assert.equal(
      formatOutput(alert, text),
      '00:00:00.000000000: Informational Falco metrics snapshot (a=1 b="x")',
    );
    const asText = { ...alert, output: formatOutput(alert, text) };
    assert.equal(JSON.parse(formatOutput(asText, plain)).output, "Falco metrics snapshot");
    assert.equal("tags" in JSON.parse(formatOutput(alert, plain)), false);
  });

  it("knows which keys each version has, and puts fields last up to 0.38", () => {
    const keys = (minor: number): string =>
      Object.keys(
        JSON.parse(
          formatOutput(buildAlert({ message: "m" }), { ...plain, minor, includeMessage: true }),
        ),
      ).join();
    assert.equal(keys(29), "output,priority,rule,time,output_fields");
    assert.equal(keys(30), "output,priority,rule,source,tags,time,output_fields");
    assert.equal(keys(33), "hostname,output,priority,rule,source,tags,time,output_fields");
    assert.equal(
      keys(39),
      "hostname,message,output,output_fields,priority,rule,source,tags,time",
    );
    const off = { ...plain, includeOutputFields: false };
    assert.match(formatOutput(buildAlert(), { ...off, minor: 40 }), /output_fields/);
    assert.doesNotMatch(formatOutput(buildAlert(), { ...off, minor: 41 }), /output_fields/);
  });

  it("takes the host name of FALCO_HOSTNAME", () => {
    const line = formatOutput(buildAlert(), { ...plain, hostname: "node-7" });
    assert.equal(JSON.parse(line).hostname, "node-7");
  });

  it("keeps a hostile field name an ordinary one", () => {
    const fields = JSON.parse('{"__proto__":"x"}');
    const line = formatOutput(buildAlert({ outputFields: fields }), plain);
    assert.match(line, /"output_fields":{"__proto__":"x","evt\.time":\d+}/);
  });
});

describe("OutputSummary", () => {
  for (const name of ["stdout-text.txt", "stdout-json.txt", "stdout-json-iso8601.txt"]) {
    it(`counts as ${name} does`, () => {
      const summary = new OutputSummary();
      const alerts = recorded("stdout-json.txt").lines.map((line) => parseAlert(line));
      // In the order of the rules file, which the fake does not know.
      const ordered = [...alerts].sort((a, b) =>
        a.tags.join() < b.tags.join() ? -1 : a.tags.join() > b.tags.join() ? 1 : 0
      );
      for (const alert of ordered) summary.add(alert);
      assert.equal(summary.text, recorded(name).summary);
    });
  }

  it("has its three headings when nothing came, and does not count internal alerts", () => {
    const summary = new OutputSummary();
    summary.add(buildAlert({ source: "internal" }));
    assert.equal(
      summary.text,
      "Events detected: 0\nRule counts by severity:\nTriggered rules by rule name:\n",
    );
  });

  it("holds a bounded number of rules", () => {
    const summary = new OutputSummary();
    for (let i = 0; i < 10_002; i++) summary.add(buildAlert({ rule: `r${i}` }));
    assert.match(summary.text, /^Events detected: 10002\n[^]*\n {3}\(other rules\): 2\n$/);
  });
});

describe("FalcoLog", { skip: !isUtc }, () => {
  it("writes lines in the shape of a real Falco's", () => {
    for (
      const [name, isoTime] of [["stderr-text.txt", false], [
        "stderr-json-iso8601.txt",
        true,
      ]] as const
    ) {
      for (const line of read(name).trimEnd().split("\n")) {
        const [, time, words] = /^(.{24}): (.*)$/.exec(line)!;
        const ms = Date.parse(isoTime ? time!.replace("+0000", "Z") : `${time} UTC`);
        assert.equal(`${formatLogTime(ms, isoTime)}: ${words}`, line);
      }
    }
  });

  it("pads the day with a blank, here and in syslog", () => {
    const ms = Date.UTC(2026, 0, 5, 1, 2, 3);
    assert.equal(formatLogTime(ms, false), "Mon Jan  5 01:02:03 2026");
    assert.equal(formatSyslogTime(ms), "Jan  5 01:02:03");
  });

  it("leaves out what is less important than log_level", () => {
    const lines: string[] = [];
    const sent: string[] = [];
    const log = new FalcoLog({
      level: "warning",
      isoTime: true,
      stderr: (line) => lines.push(line),
      syslog: (level, text) => sent.push(`${level} ${text}`),
      clock: new FakeClock(0),
    });
    log.write("notice", "no");
    log.write("warning", "yes");
    log.write("emergency", "yes!");
    assert.deepEqual(lines, [
      "1970-01-01T00:00:00+0000: yes\n",
      "1970-01-01T00:00:00+0000: yes!\n",
    ]);
    assert.deepEqual(sent, ["warning yes", "emergency yes!"]);
  });
});
