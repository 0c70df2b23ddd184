/** LiveLine, statusLine, RecordFiles: what the processes cannot show, having no terminal. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { LiveLine } from "../cli/live_line.ts";
import { RecordFiles } from "../cli/record/record_files.ts";
import { numberedName, recordName } from "../cli/record/record_name.ts";
import { QuietHint } from "../cli/quiet_hint.ts";
import { RuleCounts } from "../cli/rule_counts.ts";
import { statusLine } from "../cli/status_line.ts";
import { useColour } from "../cli/colour.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Status } from "../lib/client/status.ts";

/** A line whose text and time are set by hand; what it wrote is in `written`. */
function makeLine(terminal: boolean, columns?: number) {
  const clock = new FakeClock(1000);
  const state = { text: "one", written: "", elapsed: [] as number[] };
  const line = new LiveLine({
    write: (text) => void (state.written += text),
    clock,
    terminal,
    columns,
    text(elapsedMs) {
      state.elapsed.push(elapsedMs);
      return state.text;
    },
  });
  return { line, clock, state };
}

describe("LiveLine", () => {
  it("rewrites its line once a second on a terminal, and clears what is left of a longer one", () => {
    const { line, clock, state } = makeLine(true);
    clock.advance(999);
    assert.equal(state.written, "");
    state.text = "longer";
    clock.advance(1);
    assert.equal(state.written, "longer");
    state.text = "two";
    clock.advance(1000);
    assert.equal(state.written, "longer\r      \rtwo");
    assert.deepEqual(state.elapsed, [1000, 1000]);
    assert.equal(line.end(), "\r   \r");
    clock.advance(5000);
    assert.equal(state.written, "longer\r      \rtwo");
  });

  it("is off the terminal after hide(), until it is due again", () => {
    const { line, clock, state } = makeLine(true);
    assert.equal(line.hide(), "");
    clock.advance(1000);
    assert.equal(line.hide(), "\r   \r");
    assert.equal(line.hide(), "");
    clock.advance(1000);
    assert.equal(state.written, "oneone");
    line.end();
  });

  it("never fills the last column, where it would wrap", () => {
    const { line, clock, state } = makeLine(true, 10);
    state.text = "0123456789abc";
    clock.advance(1000);
    assert.equal(state.written, "012345678");
    line.end();
    const unknown = makeLine(true, 0);
    unknown.clock.advance(1000);
    assert.equal(unknown.state.written, "one");
    unknown.line.end();
  });

  it("adds a line every 10 s elsewhere, and only a new one", () => {
    const { line, clock, state } = makeLine(false);
    clock.advance(9_999);
    assert.equal(state.written, "");
    clock.advance(20_001);
    assert.equal(state.written, "one\n");
    state.text = "two";
    clock.advance(10_000);
    assert.equal(state.written, "one\ntwo\n");
    assert.equal(line.end(), "");
  });
});

describe("statusLine", () => {
  const cases: [status: Status, line: string | undefined][] = [
    [{ type: "connecting", atMs: 0, address: "unix:///x", attempt: 1 }, "connecting to unix:///x"],
    [{ type: "connecting", atMs: 0, address: "unix:///x", attempt: 2 }, undefined],
    [
      { type: "open", atMs: 0, address: "unix:///x", service: "falco.outputs.service/sub" },
      "connected to unix:///x (falco.outputs.service/sub)",
    ],
    [
      { type: "gap", atMs: 0, lostMs: 61_400, received: 7 },
      "there was no connection for 61 s: alerts may be missing after the first 7",
    ],
    [
      { type: "reconnecting", atMs: 0, attempt: 2, delayMs: 250, error: undefined },
      "Falco ended the call. Trying again in 0.3 s",
    ],
    [
      { type: "reconnecting", atMs: 0, attempt: 2, delayMs: 1500, error: new Error("It broke") },
      "It broke. Trying again in 1.5 s",
    ],
    [{ type: "closed", atMs: 0, error: undefined }, "disconnected"],
    [{ type: "closed", atMs: 0, error: new Error("It broke") }, undefined],
  ];
  for (const [status, line] of cases) {
    it(`says ${line ?? "nothing"} of ${status.type}`, () => assert.equal(statusLine(status), line));
  }
});

describe("QuietHint", () => {
  /** One whose count and time are set by hand. */
  function makeHint() {
    const clock = new FakeClock(1000);
    const state = { received: 0, notes: [] as string[] };
    const note = (line: string) => void state.notes.push(line);
    return { clock, state, hint: new QuietHint({ note, received: () => state.received, clock }) };
  }

  it("says once what a Falco without alerts may mean, a minute after the connection", () => {
    const { clock, state, hint } = makeHint();
    clock.advance(600_000);
    hint.opened();
    clock.advance(59_999);
    assert.deepEqual(state.notes, []);
    hint.opened(); // again, after a restart
    clock.advance(1);
    assert.equal(state.notes.length, 1);
    assert.match(state.notes[0]!, /^no alert in the 60 s since\. .*grpc_output\.enabled.*slots of/);
    hint.opened();
    clock.advance(600_000);
    assert.equal(state.notes.length, 1);
  });

  it("says nothing if alerts have come, or it is over", () => {
    const busy = makeHint();
    busy.hint.opened();
    busy.state.received = 1;
    busy.clock.advance(60_000);
    assert.deepEqual(busy.state.notes, []);
    const over = makeHint();
    over.hint.opened();
    over.hint.end();
    assert.equal(over.clock.pending, 0);
    over.hint.end();
  });
});

describe("RuleCounts", () => {
  it("counts a thousand rules by name and the rest together, the most frequent first", () => {
    const counts = new RuleCounts();
    for (let i = 0; i < 1200; i++) counts.add(buildAlert({ rule: `rule ${i}` }));
    counts.add(buildAlert({ rule: "rule 7" }));
    counts.add(buildAlert({ rule: "x".repeat(100_000) }));
    const entries = counts.entries();
    assert.equal(entries.length, 1001);
    assert.deepEqual(entries[0], ["rule 7", 2]);
    assert.deepEqual(entries.at(-1), ["(other rules)", 201]);
  });

  it("shortens names, and shows them harmless", () => {
    const counts = new RuleCounts();
    counts.add(buildAlert({ rule: `\x1b[2J${"x".repeat(1000)}` }));
    assert.deepEqual(counts.entries(), [[`\\x1b[2J${"x".repeat(196)}`, 1]]);
  });
});

describe("useColour", () => {
  it("does as it is told, and else looks at the terminal", () => {
    assert.equal(useColour("always", false), true);
    assert.equal(useColour("never", true), false);
    assert.equal(useColour("auto", false), false);
    assert.equal(useColour(undefined, false), false);
  });
});

describe("recordName", () => {
  const cases: [path: string, form: string, second: string][] = [
    ["a.jsonl", "json", "a.0002.jsonl"],
    ["/x.y/a.b.ndjson", "json", "/x.y/a.b.0002.ndjson"],
    ["./a.json", "json", "./a.0002.json"],
    ["a.wire.jsonl", "wire", "a.0002.wire.jsonl"],
  ];
  for (const [path, form, second] of cases) {
    it(`takes ${path} apart`, () => {
      const name = recordName(path);
      assert.equal(name.form, form);
      assert.equal(numberedName(name, 2), second);
    });
  }
});

describe("RecordFiles", () => {
  it("puts the header on every file, and an alert that is too long into one of its own", async () => {
    const folder = await makeTempFolder();
    try {
      const path = join(folder.path, "a.jsonl");
      const options = { path, name: recordName(path), maxBytes: 12, force: false };
      const files = await RecordFiles.create(options);
      files.header("head");
      for (const line of ["1", "2", "3", "4", "x".repeat(50), "5"]) await files.write(line);
      await files.close();
      const texts = readdirSync(folder.path).sort()
        .map((name) => readFileSync(join(folder.path, name), "utf8"));
      const long = `head\n${"x".repeat(50)}\n`;
      assert.deepEqual(texts, ["head\n1\n2\n3\n", "head\n4\n", long, "head\n5\n"]);
      assert.deepEqual(files.files.map(({ alerts }) => alerts), [3, 1, 1, 1]);
    } finally {
      await folder.remove();
    }
  });

  it("says what is whole when the next file is somebody else's, and leaves that one alone", async () => {
    const folder = await makeTempFolder();
    try {
      const path = join(folder.path, "a.jsonl");
      const told: Error[] = [];
      const files = await RecordFiles.create({
        path,
        name: recordName(path),
        maxBytes: 4,
        force: false,
        onFailed: (error) => told.push(error),
      });
      writeFileSync(join(folder.path, "a.0002.jsonl"), "mine\n");
      for (const line of ["1", "2", "3"]) await files.write(line);
      await assert.rejects(
        files.close(),
        /^FalcoError: Cannot write to .*a\.0001\.jsonl: .*a\.0002\.jsonl: there is such a file.* It holds the 2 alerts before that$/,
      );
      assert.equal(told.length, 1);
      assert.deepEqual(files.files, [{
        path: join(folder.path, "a.0001.jsonl"),
        alerts: 2,
        bytes: 4,
      }]);
      assert.equal(readFileSync(join(folder.path, "a.0001.jsonl"), "utf8"), "1\n2\n");
      assert.equal(readFileSync(join(folder.path, "a.0002.jsonl"), "utf8"), "mine\n");
    } finally {
      await folder.remove();
    }
  });

  it("keeps the header of a recording without alerts", async () => {
    const folder = await makeTempFolder();
    try {
      const path = join(folder.path, "a.jsonl");
      writeFileSync(path, "longer than what comes\n");
      const options = { path, name: recordName(path), maxBytes: undefined, force: true };
      const files = await RecordFiles.create(options);
      files.header("head");
      await files.close();
      assert.equal(readFileSync(path, "utf8"), "head\n");
      assert.deepEqual(files.files, [{ path, alerts: 0, bytes: 5 }]);
    } finally {
      await folder.remove();
    }
  });

  it("slows its caller down once a mebibyte waits", async () => {
    const folder = await makeTempFolder();
    try {
      const path = join(folder.path, "a.jsonl");
      const options = { path, name: recordName(path), maxBytes: undefined, force: false };
      const files = await RecordFiles.create(options);
      const line = "x".repeat(100_000);
      let waits = 0;
      for (let i = 0; i < 15; i++) {
        const wait = files.write(line);
        if (wait !== undefined) waits++;
      }
      assert.equal(waits, 5);
      await files.close();
      assert.equal(readFileSync(path, "utf8").length, 15 * 100_001);
    } finally {
      await folder.remove();
    }
  });
});
