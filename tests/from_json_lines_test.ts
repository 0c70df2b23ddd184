import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { AlertFormatError, formatAlert, fromJsonLines } from "../mod.ts";
import type { Alert, LinePlace, LineSourceOptions } from "../mod.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { readObjects } from "./recordings.ts";

const recorded = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url)));

const recordedOn = new FakeClock(Date.UTC(2026, 10, 21, 0, 7));

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return ReadableStream.from(
    chunks.map((chunk) => typeof chunk === "string" ? encoder.encode(chunk) : chunk),
  );
}

async function read(
  chunks: (string | Uint8Array)[],
  options?: LineSourceOptions,
): Promise<{ alerts: Alert[]; stats: ReturnType<ReturnType<typeof fromJsonLines>["stats"]> }> {
  const lines = fromJsonLines(streamOf(...chunks), options);
  const alerts = await Array.fromAsync(lines);
  return { alerts, stats: lines.stats() };
}

const line = (rule: string): string => `${formatAlert(buildAlert({ rule }))}\n`;

describe("fromJsonLines()", () => {
  it("reads the standard output of a real Falco, summary and all", async () => {
    for (const name of ["stdout-json.txt", "stdout-json-iso8601.txt"]) {
      const { alerts, stats } = await read([recorded(name)]);
      const lines = new TextDecoder().decode(recorded(name)).trimEnd().split("\n");
      const json = lines.filter((text) => text.startsWith("{"));
      assert.deepEqual(alerts.map(formatAlert), json);
      assert.equal(json.length, 8);
      assert.deepEqual(stats, {
        received: 8,
        lines: lines.length,
        other: lines.length - 8,
        invalid: 0,
        lossyText: 0,
      });
    }
  });

  it("reads it as text, with the line breaks of its fields", async () => {
    const json = (await read([recorded("stdout-json.txt")])).alerts;
    for (const name of ["stdout-text.txt", "stdout-text-iso8601.txt"]) {
      const { alerts, stats } = await read([recorded(name)], {
        clock: recordedOn,
        utcOffsetMinutes: 0,
      });
      assert.deepEqual(
        alerts.map(({ priority }) => priority),
        json.map(({ priority }) => priority),
        name,
      );
      assert(alerts.every(({ output }) => /^[^\n]+\nline é€ 🦅 t=[^\n]+$/.test(output)));
      assert.equal(stats.invalid, 0);
      assert.equal(stats.received + stats.other, stats.lines);
      for (const { time, output } of alerts) {
        const raw = BigInt(/raw=(\d+)/.exec(output)![1]!);
        assert.equal(BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanos), raw);
      }
    }
  });

  it("leaves out Falco's log", async () => {
    for (const name of ["stderr-text.txt", "stderr-json-iso8601.txt", "stderr-debug.txt"]) {
      const invalid: string[] = [];
      const { alerts } = await read([recorded(name)], {
        onInvalid: (_error, place) => invalid.push(place.text),
      });
      assert.deepEqual([alerts.length, invalid], [0, []], name);
    }
  });

  it("reads what a real Falco sent to syslog, as JSON and as text", async () => {
    const datagrams = (name: string) => `${readObjects<string>(name).join("\n")}\n`;
    const json = await read([datagrams("syslog-json.jsonl")]);
    assert.equal(json.alerts.length, 8);
    assert.deepEqual(
      json.alerts.map(formatAlert),
      readObjects<string>("syslog-json.jsonl").map((datagram) =>
        datagram.slice(datagram.indexOf("{"))
      ),
    );
    const options = { clock: recordedOn, utcOffsetMinutes: 0 };
    const text = await read([datagrams("syslog-text.jsonl")], options);
    assert.deepEqual(
      text.alerts.map(({ priority }) => priority),
      json.alerts.map(({ priority }) => priority),
    );
    assert(text.alerts.every(({ output }) => output.includes("\nline é€ ")));
    assert.deepEqual([json.stats.invalid, text.stats.invalid], [0, 0]);
  });

  it("reads what syslog daemons make of it, and tells Falco's log and others from it", async () => {
    const seen: string[] = [];
    const { alerts, stats } = await read([
      `Nov 21 00:07:53 node-1 falco: ${line("traditional")}`,
      `2026-11-21T00:07:53.278495+00:00 node-1 falco[812]: ${line("with a pid")}`,
      `<14>Nov  1 00:07:53 falco: Falco version: 0.44.0 (x86_64)\n`,
      `Nov 21 00:07:53 node-1 sshd[7]: ${line("of another program")}`,
      'Nov 21 00:07:53 node-1 falco: {"rule": 7}\n',
    ], {
      onInvalid: ({ column }, { text }) => seen.push(`${column} ${text.slice(0, 27)}`),
    });
    assert.deepEqual(alerts.map(({ rule }) => rule), ["traditional", "with a pid"]);
    assert.deepEqual([stats.other, stats.invalid], [1, 2]);
    assert.deepEqual(seen, ["1 Nov 21 00:07:53 node-1 sshd", "40 Nov 21 00:07:53 node-1 falc"]);
  });

  it("hands over a bad line with its place, counts it, and goes on", async () => {
    const seen: [AlertFormatError, LinePlace][] = [];
    const first = line("one");
    const { alerts, stats } = await read([
      first,
      '{"rule": 7}\n{"ru',
      "le\n",
      "what?\n",
      line("two"),
    ], {
      onInvalid: (...args) => seen.push(args),
    });
    assert.deepEqual(alerts.map(({ rule }) => rule), ["one", "two"]);
    assert.deepEqual(stats, { received: 2, lines: 5, other: 0, invalid: 3, lossyText: 0 });
    const start = new TextEncoder().encode(first).length;
    assert.deepEqual(seen.map(([, place]) => place), [
      { line: 2, start, end: start + 12, text: '{"rule": 7}' },
      { line: 3, start: start + 12, end: start + 19, text: '{"rule' },
      { line: 4, start: start + 19, end: start + 25, text: "what?" },
    ]);
    assert(seen.every(([error]) => error instanceof AlertFormatError));
    assert.deepEqual(seen.map(([{ line, column }]) => [line, column]), [[2, 10], [3, 2], [4, 1]]);
    assert.match(seen[0]![0].message, /"rule" must be text/);
  });

  it("fails with what onInvalid throws, after the alerts before it, and leaves the bytes", async () => {
    let cancelled: unknown;
    const bytes = new ReadableStream<Uint8Array>({
      start: (controller) =>
        controller.enqueue(new TextEncoder().encode(`${line("one")}oops\n${line("two")}`)),
      cancel: (reason) => void (cancelled = reason),
    });
    const mine = new Error("mine");
    const alerts = fromJsonLines(bytes, {
      onInvalid() {
        throw mine;
      },
    });
    const rules: string[] = [];
    await assert.rejects(async () => {
      for await (const alert of alerts) rules.push(alert.rule);
    }, mine);
    assert.deepEqual(rules, ["one"]);
    assert.equal(cancelled, mine);
  });

  it("refuses text on request", async () => {
    const messages: string[] = [];
    const { alerts } = await read(["10:00:00.000000000: Notice x\n", line("one")], {
      text: "invalid",
      onInvalid: (error) => messages.push(error.message),
    });
    assert.equal(alerts.length, 1);
    assert.match(messages.join(), /it is text, not JSON\. Set json_output: true/);
  });

  it("takes the arrays that replay --batch prints", async () => {
    const two = `[${line("one").trim()},${line("two").trim()}]\n`;
    assert.deepEqual((await read([two])).alerts.map(({ rule }) => rule), ["one", "two"]);
  });

  it("counts bytes that are no UTF-8, and not the character that stands for them", async () => {
    const good = line("\uFFFD");
    const bad = new TextEncoder().encode(line("x"));
    bad[bad.indexOf("x".charCodeAt(0), 60)] = 0xff;
    const { alerts, stats } = await read([good, bad]);
    assert.equal(alerts.length, 2);
    assert.equal(stats.lossyText, 1);
  });

  it("skips a line over the limit", async () => {
    const messages: string[] = [];
    const { alerts } = await read([`{"x":"${"x".repeat(2000)}`, `"}\n${line("one")}`], {
      maxLineBytes: 1000,
      onInvalid: (error) => messages.push(error.message),
    });
    assert.equal(alerts.length, 1);
    assert.deepEqual(messages, ["Cannot read the alert: the line is longer than 1000 bytes"]);
  });

  it("holds an alert in text until nothing more can belong to it", async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 1, 10));
    let push: (text: string) => void = () => {};
    const bytes = new ReadableStream<Uint8Array>({
      start(controller) {
        push = (text) => controller.enqueue(new TextEncoder().encode(text));
      },
    });
    const alerts = fromJsonLines(bytes, { clock, textIdleMs: 50, utcOffsetMinutes: 0 });
    const reader = alerts.getReader();
    const first = reader.read();
    push("10:00:00.000000000: Notice a\n");
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(49);
    push("b\n");
    while (alerts.stats().lines < 2 || clock.pending === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(50);
    assert.equal((await first).value?.message, "a\nb");
    const second = reader.read();
    push(`10:00:01.000000000: Notice c\n${line("json")}`);
    assert.equal((await second).value?.message, "c");
    assert.equal((await reader.read()).value?.rule, "json");
    await reader.cancel();
    assert.equal(clock.pending, 0);
  });

  it("asks for bytes only when an alert is asked for", async () => {
    let pulls = 0;
    const bytes = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls++;
        controller.enqueue(new TextEncoder().encode(line("one")));
      },
    }, { highWaterMark: 0 });
    const reader = fromJsonLines(bytes).getReader();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(pulls, 0);
    await reader.read();
    assert.equal(pulls, 1);
    await reader.cancel("done");
  });

  it("fails as the bytes do, after the alerts before", async () => {
    const gone = new Error("gone");
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new TextEncoder().encode(line("one")));
      throw gone;
    }
    const reader = fromJsonLines(bytes()).getReader();
    assert.equal((await reader.read()).value?.rule, "one");
    await assert.rejects(reader.read(), gone);
  });

  it("ends with the reason of its signal while it waits", async () => {
    const stop = new AbortController();
    let cancelled: unknown;
    const bytes = new ReadableStream<Uint8Array>({ cancel: (reason) => void (cancelled = reason) });
    const reading = fromJsonLines(bytes, { signal: stop.signal }).getReader().read();
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(reading, reason);
    assert.equal(cancelled, reason);
    await assert.rejects(
      fromJsonLines(streamOf(line("one")), { signal: stop.signal }).getReader().read(),
      reason,
    );
  });

  it("closes an iterator that its reader leaves", async () => {
    let closed = false;
    async function* bytes(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(new TextEncoder().encode(line("one")));
      } finally {
        closed = true;
      }
    }
    for await (const _ of fromJsonLines(bytes())) break;
    assert(closed);
  });

  it("does not wait for an iterator that waits for bytes when its reader leaves", async () => {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(line("one"));
      await new Promise(() => {});
    }
    const reader = fromJsonLines(bytes()).getReader();
    assert.equal((await reader.read()).value?.rule, "one");
    const second = reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    await reader.cancel();
    assert.equal((await second).done, true);

    const stop = new AbortController();
    const aborted = fromJsonLines(bytes(), { signal: stop.signal }).getReader();
    await aborted.read();
    const reading = aborted.read();
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(reading, reason);
  });

  it("fails as an iterator does that cannot be left in good order", async () => {
    const mine = new Error("mine");
    const bytes: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: new TextEncoder().encode(line("one")) }),
        return: () => Promise.reject(mine),
      }),
    };
    const reader = fromJsonLines(bytes).getReader();
    await reader.read();
    await assert.rejects(reader.cancel(), mine);
  });

  it("holds no alert in text that is longer than a line may be", async () => {
    const { alerts, stats } = await read(
      ["10:00:00.000000000: Notice x\n", "more\n".repeat(300), line("one")],
      { maxLineBytes: 1000, utcOffsetMinutes: 0 },
    );
    assert.deepEqual(alerts.map(({ rule }) => rule), ["", "one"]);
    assert.equal(alerts[0]!.output.length, "10:00:00.000000000: Notice x".length + 5 * 194);
    assert.deepEqual([stats.other, stats.invalid], [194, 106]);
  });

  it("refuses wrong options", () => {
    for (const options of [{ maxLineBytes: 0 }, { textIdleMs: -1 }, { maxLineBytes: NaN }]) {
      assert.throws(() => fromJsonLines(streamOf(), options), RangeError);
    }
  });
});
