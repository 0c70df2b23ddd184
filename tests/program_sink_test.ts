import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { DeliveryError, EventStream, FalcoError, formatAlert, ProgramSink } from "../mod.ts";
import type { Alert, Delivered, ProgramSinkOptions } from "../mod.ts";

let folder: TempFolder;
let path: string;

beforeEach(async () => {
  folder = await makeTempFolder();
  path = join(folder.path, "out");
});
afterEach(() => folder.remove());

const alerts = (...rules: string[]): Alert[] => rules.map((rule) => buildAlert({ rule }));
const textOf = (some: readonly Alert[]): string =>
  some.map((alert) => `${formatAlert(alert)}\n`).join("");
const read = (): Promise<string> => readFile(path, "utf8");
const shell = (script: string, ...more: string[]): Pick<ProgramSinkOptions, "args"> => ({
  args: ["-c", script, "sh", path, ...more],
});

/** Waits for a file to hold a text. */
async function holds(text: string): Promise<void> {
  while (!(await read().catch(() => "")).includes(text)) {
    await new Promise((go) => setImmediate(go));
  }
}

/** Lets waits end at once. */
function hurry(clock: FakeClock, errors: string[]): ProgramSinkOptions {
  return {
    clock,
    onRetry(error, _attempt, delayMs) {
      errors.push(error.message);
      setImmediate(() => clock.advance(delayMs));
    },
  };
}

describe("ProgramSink", { skip: process.platform === "win32" }, () => {
  it("writes a line an alert to one process, and waits for it to end", async () => {
    const [one, two, three] = alerts("one", "two", "three");
    const sink = new ProgramSink("sh", shell('cat > "$1"; sleep 0.05; echo end >> "$1"'));
    await EventStream.from<Delivered>([one!, [two!, three!]]).pipeTo(sink);
    assert.equal(await read(), `${textOf([one!, two!, three!])}end\n`);
    assert.deepEqual(sink.stats(), {
      delivered: 2,
      retries: 0,
      dropped: {},
      waiting: 0,
      starts: 1,
    });
  });

  it("hands arguments over as they are, with no shell in between", async () => {
    const sink = new ProgramSink("sh", {
      args: ["-c", 'cat > "$1"; printf "%s|" "$@" >> "$1"', "sh", path, "a b", "$(id)", "; rm"],
      format: ({ rule }) => rule,
    });
    await EventStream.from(alerts("$(id)")).pipeTo(sink);
    assert.equal(await read(), `$(id)\n${path}|a b|$(id)|; rm|`);
  });

  it("has a shell run the command on request, in the folder and environment it is given", async () => {
    const sink = new ProgramSink('cat > out; echo "$MINE" >> out', {
      shell: true,
      cwd: folder.path,
      env: { MINE: "x", PATH: process.env["PATH"] ?? "" },
      format: ({ rule }) => rule,
    });
    await EventStream.from(alerts("one")).pipeTo(sink);
    assert.equal(await read(), "one\nx\n");
  });

  it("starts nothing without an alert", async () => {
    await EventStream.from<Delivered>([]).pipeTo(new ProgramSink("/no/such/program"));
  });

  it("starts it again when it ends, with each alert once where it reads", async () => {
    const errors: string[] = [];
    const sink = new ProgramSink("sh", {
      ...shell('head -n 1 >> "$1"; exit 3'),
      ...hurry(new FakeClock(), errors),
    });
    const writer = sink.getWriter();
    for (const alert of alerts("one", "two", "three")) {
      await writer.write(alert);
      await holds(alert.rule);
      // Until it is seen to have ended.
      await new Promise((go) => setTimeout(go, 30));
    }
    await assert.rejects(writer.close(), /it ended with status 3, with all alerts written/);
    assert.equal(await read(), textOf(alerts("one", "two", "three")));
    assert.deepEqual([...new Set(errors)], [
      'Cannot deliver to the program "sh": it ended with status 3',
    ]);
    assert.equal(sink.stats().starts, 3);
  });

  it("pauses between the starts of a program that never stays", async () => {
    const errors: string[] = [];
    const clock = new FakeClock();
    const sink = new ProgramSink("sh", {
      args: ["-c", "exit 7"],
      ...hurry(clock, errors),
    });
    const writer = sink.getWriter();
    while (errors.length < 5) {
      await writer.write(alerts("x")[0]!);
      await new Promise((go) => setImmediate(go));
    }
    assert(sink.stats().starts <= errors.length + 1, "a pause before each start but the first");
    assert(clock.now() > 0);
    await writer.close().catch(() => {}); // with status 7, if it had not been told already
  });

  it("fails when it ends, if it is not to be started again", async () => {
    const sink = new ProgramSink("sh", { args: ["-c", "exec 0<&-; exit 3"], restart: false });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    const failure = await (async () => {
      for (;;) {
        await writer.write(buildAlert({ output: "x".repeat(100_000) }));
        await new Promise((go) => setImmediate(go));
      }
    })().catch((error) => error);
    assert(failure instanceof FalcoError && !(failure instanceof DeliveryError));
    assert.match(failure.message, /^Cannot deliver to the program "sh": it ended with .*"restart"/);
  });

  it("fails when there is no such program", async () => {
    for (
      const [command, options] of [["/no/such/program", {}], ["cat", { cwd: "/no/such" }]] as const
    ) {
      await assert.rejects(
        EventStream.from(alerts("one")).pipeTo(new ProgramSink(command, options)),
        (error) =>
          error instanceof FalcoError && !(error instanceof DeliveryError) &&
          /there is no such program/.test(error.message),
      );
    }
    await writeFile(path, "no program");
    await assert.rejects(
      EventStream.from(alerts("one")).pipeTo(new ProgramSink(path)),
      (error) => error instanceof FalcoError && !(error instanceof DeliveryError),
    );
  });

  it("slows the pipeline down when it does not read, and is killed by the time limit", async () => {
    const errors: string[] = [];
    const clock = new FakeClock();
    const sink = new ProgramSink("sh", {
      ...shell('if [ -e "$1" ]; then exec cat > "$1.2"; fi; echo > "$1"; exec sleep 1000'),
      ...hurry(clock, errors),
      timeoutMs: 5000,
      maxBuffered: 2,
      format: ({ rule }) => rule + "x".repeat(1_000_000),
    });
    const writer = sink.getWriter();
    const writes = alerts("one", "two", "three").map((alert) => writer.write(alert));
    await holds("\n");
    while (clock.pending === 0) await new Promise((go) => setImmediate(go));
    assert.equal(sink.stats().waiting, 2);
    assert.equal(sink.stats().delivered, 0);
    clock.advance(5000);
    await Promise.all(writes);
    await writer.close();
    assert.deepEqual(errors, ['Cannot deliver to the program "sh": no answer within 5000 ms']);
    assert.equal((await stat(`${path}.2`)).size, 3_000_000 + "onetwothree".length + 3);
  });

  it("is killed when it does not end within the time to close", async () => {
    const clock = new FakeClock();
    const sink = new ProgramSink("sh", {
      ...shell('cat > /dev/null; echo > "$1"; exec sleep 1000'),
      clock,
      closeTimeoutMs: 1000,
    });
    const writer = sink.getWriter();
    await writer.write(alerts("one")[0]!);
    while (sink.stats().delivered === 0) await new Promise((go) => setImmediate(go));
    const closing = writer.close();
    closing.catch(() => {});
    await holds("\n"); // it has seen the end of its input
    while (clock.pending === 0) await new Promise((go) => setImmediate(go));
    clock.advance(1000);
    await assert.rejects(closing, /it did not end in time and was killed/);
  });

  it("is killed when the sink is aborted", async () => {
    const sink = new ProgramSink("sh", shell('echo "$$" > "$1"; exec sleep 1000'));
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    await writer.write(alerts("one")[0]!);
    await holds("\n");
    const pid = Number(await read());
    await writer.abort();
    // It may take a turn until nobody has that number.
    for (let isThere = true; isThere;) {
      await new Promise((go) => setImmediate(go));
      isThere = await stat(`/proc/${pid}/exe`).then(() => true, () => false);
    }
  });

  it("refuses wrong options", () => {
    assert.throws(() => new ProgramSink(""), TypeError);
    assert.throws(() => new ProgramSink("x", { shell: true, args: ["y"] }), TypeError);
    assert.throws(() => new ProgramSink("x", { timeoutMs: 0 }), RangeError);
  });
});
