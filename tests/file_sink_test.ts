import assert from "node:assert/strict";
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { LineFile } from "../lib/sinks/line_file.ts";
import { RotatingLines } from "../lib/sinks/rotating_lines.ts";
import {
  DeliveryError,
  EventStream,
  FalcoError,
  FileSink,
  followFile,
  formatAlert,
} from "../mod.ts";
import type { Alert, Delivered, FileSinkOptions } from "../mod.ts";

let folder: TempFolder;
let path: string;
let clock: FakeClock;

beforeEach(async () => {
  folder = await makeTempFolder();
  path = join(folder.path, "alerts.jsonl");
  clock = new FakeClock();
});
afterEach(() => folder.remove());

const alerts = (count: number): Alert[] =>
  Array.from({ length: count }, (_, index) => buildAlert({ rule: `${index}`.padStart(4, "0") }));
const lineOf = (alert: Alert): string => `${formatAlert(alert)}\n`;
const textOf = (some: readonly Alert[]): string => some.map(lineOf).join("");
const read = (name = path): Promise<string> => readFile(name, "utf8");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function write(items: Delivered[], options: FileSinkOptions = {}): Promise<FileSink> {
  const sink = new FileSink(path, { clock, ...options });
  await EventStream.from(items).pipeTo(sink);
  return sink;
}

describe("FileSink", () => {
  it("appends a line an alert, in a file for its own user", async () => {
    const [one, two, three] = alerts(3);
    const sink = await write([one!, [two!, three!]]);
    assert.equal(await read(), textOf([one!, two!, three!]));
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(sink.stats(), {
      delivered: 2,
      retries: 0,
      dropped: {},
      waiting: 0,
      rotated: 0,
      reopened: 0,
    });
    await write([one!], { format: ({ rule }) => rule });
    assert.equal(await read(), `${textOf([one!, two!, three!])}0000\n`);
  });

  it("ends half a line that was left before it adds its own", async () => {
    await writeFile(path, '{"half');
    await write(alerts(2));
    assert.equal(await read(), `{"half\n${textOf(alerts(2))}`);
    await write(alerts(1));
    assert.equal(await read(), `{"half\n${textOf(alerts(2))}${textOf(alerts(1))}`);
  });

  it("makes no file without an alert", async () => {
    await write([]);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("begins a new file when one is full, and keeps as many as it is told", async () => {
    const some = alerts(11);
    const size = bytes(lineOf(some[0]!)).length;
    await writeFile(path, ""); // what is there counts
    const sink = await write(some, { maxBytes: 2 * size, keep: 3 });
    assert.deepEqual((await readdir(folder.path)).sort(), [
      "alerts.jsonl",
      "alerts.jsonl.1",
      "alerts.jsonl.2",
      "alerts.jsonl.3",
    ]);
    assert.equal(await read(), textOf(some.slice(10)));
    assert.equal(await read(`${path}.1`), textOf(some.slice(8, 10)));
    assert.equal(await read(`${path}.2`), textOf(some.slice(6, 8)));
    assert.equal(await read(`${path}.3`), textOf(some.slice(4, 6)));
    assert.equal(sink.stats().rotated, 5);

    // A second run counts what the first has left.
    await write(alerts(2), { maxBytes: 2 * size, keep: 3 });
    assert.equal(await read(`${path}.1`), textOf([some[10]!, alerts(1)[0]!]));
    assert.equal(await read(), textOf(alerts(2).slice(1)));
  });

  it("puts a line that is longer than a file may be into one of its own", async () => {
    const [one, long, two] = alerts(3);
    const some = [one!, { ...long!, output: "x".repeat(5000) }, two!];
    await write(some, { maxBytes: 1000, keep: 9 });
    assert.equal(await read(`${path}.2`), textOf(some.slice(0, 1)));
    assert.equal(await read(`${path}.1`), textOf(some.slice(1, 2)));
    assert.equal(await read(), textOf(some.slice(2)));
  });

  it("opens the path anew within a second of somebody else's rename or deletion", async () => {
    const sink = new FileSink(path, { clock });
    const writer = sink.getWriter();
    const written = async (alert: Alert) => {
      const { delivered } = sink.stats();
      await writer.write(alert);
      while (sink.stats().delivered === delivered) await new Promise((go) => setImmediate(go));
    };
    const [one, two, three, four] = alerts(4);
    await written(one!);
    await rename(path, `${path}.old`);
    clock.advance(999);
    await written(two!);
    clock.advance(1);
    await written(three!);
    await rm(path);
    clock.advance(1000);
    await written(four!);
    await writer.close();
    assert.equal(await read(`${path}.old`), textOf([one!, two!]));
    assert.equal(await read(), textOf([four!]));
    assert.equal(sink.stats().reopened, 2);
  });

  it("is read by followFile() over its rotations, with nothing lost", async () => {
    const some = alerts(40);
    const position = { from: "start" } as const;
    const following = followFile(path, { ...position, clock, pollMs: 1 });
    const reader = following.getReader();
    const sink = new FileSink(path, { clock, maxBytes: 3000, keep: 40 });
    const writer = sink.getWriter();
    for (const alert of some) {
      await writer.write(alert);
      const reading = reader.read();
      const timer = setInterval(() => clock.advance(1), 1);
      assert.equal((await reading).value?.rule, alert.rule);
      clearInterval(timer);
    }
    await writer.close();
    await reader.cancel();
    assert(sink.stats().rotated > 3);
  });

  it("fails at once where somebody has to do something", async () => {
    const failing = async (place: string): Promise<Error> => {
      const sink = new FileSink(place, { clock });
      return await EventStream.from(alerts(1)).pipeTo(sink).then(
        () => assert.fail("it wrote"),
        (error) => error,
      );
    };
    const missing = await failing(join(folder.path, "none", "x.jsonl"));
    assert(missing instanceof FalcoError && !(missing instanceof DeliveryError));
    assert.match(missing.message, /^Cannot write to ".*x\.jsonl": .*\. Make the folder first$/);
    assert.match((await failing(folder.path)).message, /\. Name a file in it$/);
    await writeFile(join(folder.path, "file"), "");
    assert.match(
      (await failing(join(folder.path, "file", "x"))).message,
      /Name a file in a folder/,
    );
  });

  it("waits out a folder that vanishes, with each alert once", async () => {
    const place = join(folder.path, "inner");
    await mkdir(place);
    path = join(place, "alerts.jsonl");
    const some = alerts(12);
    const size = bytes(lineOf(some[0]!)).length;
    const errors: string[] = [];
    const sink = new FileSink(path, {
      clock,
      maxBytes: 4 * size,
      onRetry(error, _attempt, delayMs) {
        errors.push(error.message);
        void mkdir(place, { recursive: true })
          .then(() => setImmediate(() => clock.advance(delayMs)));
      },
    });
    const writer = sink.getWriter();
    await writer.write(some[0]!);
    while (sink.stats().delivered === 0) await new Promise((go) => setImmediate(go));
    await rm(place, { recursive: true });
    clock.advance(1000);
    for (const alert of some.slice(1)) await writer.write(alert);
    await writer.close();
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, /^Cannot write to .* Make the folder first$/);
    const names = (await readdir(place)).sort().reverse();
    const texts = await Promise.all(names.map((name) => read(join(place, name))));
    assert.equal(texts.join(""), textOf(some.slice(1)));
  });

  // Deno opens no device without all permissions.
  const skip = process.platform !== "linux" || "Deno" in globalThis;
  it("waits out a full disk, and says so", { skip }, async () => {
    path = "/dev/full";
    const errors: string[] = [];
    const dropped: string[] = [];
    const sink = new FileSink(path, {
      clock,
      retry: { maxAttempts: 2 },
      onRetry(error, _attempt, delayMs) {
        errors.push(error.message);
        setImmediate(() => clock.advance(delayMs));
      },
      onDrop: (item, reason) => dropped.push(`${(item as Alert).rule} ${reason}`),
    });
    await EventStream.from(alerts(1)).pipeTo(sink).catch(() => {}); // it has no sync either
    assert.match(errors.join(), /^Cannot write to "\/dev\/full": .*(ENOSPC|no space|os error 28)/i);
    assert.deepEqual(dropped, ["0000 gave-up"]);
  });

  it("fails with what its format throws", async () => {
    const mine = new Error("mine");
    const format = () => {
      throw mine;
    };
    await assert.rejects(write(alerts(1), { format }), mine);
  });

  it("refuses wrong options", () => {
    for (const options of [{ maxBytes: 0 }, { maxBytes: 9, keep: 0 }, { maxBytes: 9, keep: 1.5 }]) {
      assert.throws(() => new FileSink("x", options), RangeError);
    }
    assert.throws(() => new FileSink("x", { keep: 3 }), TypeError);
  });
});

describe("LineFile", () => {
  it("refuses a file that is there, or empties it, if it is told to", async () => {
    await writeFile(path, "old");
    await assert.rejects(
      LineFile.open(path, { how: "create", mode: 0o600 }),
      (error) => (error as NodeJS.ErrnoException).code === "EEXIST",
    );
    const file = await LineFile.open(path, { how: "replace", mode: 0o600 });
    await file.append([bytes("new\n")]);
    assert.deepEqual([file.bytes, file.lines], [4, 1]);
    await file.close();
    assert.equal(await read(), "new\n");
  });

  it("knows who else has written to it, or cut it off", async () => {
    const file = await LineFile.open(path, { how: "append", mode: 0o600 });
    await file.append([bytes("one\n")]);
    await appendFile(path, "two\n");
    assert(await file.isAtPath());
    assert.equal(file.bytes, 8);
    await writeFile(path, "");
    assert(await file.isAtPath());
    assert.equal(file.bytes, 0);
    await file.append([bytes("three\n")]);
    assert.equal(await read(), "three\n", "no hole");
    await rename(path, `${path}.1`);
    assert.equal(await file.isAtPath(), false);
    await writeFile(path, "");
    assert.equal(await file.isAtPath(), false);
    await file.close();
  });
});

describe("RotatingLines", () => {
  it("adds what belongs into one file, and says how much that was", async () => {
    const names: string[] = [];
    let number = 1;
    const open = (name: string) => LineFile.open(name, { how: "create", mode: 0o600 });
    const rotating = new RotatingLines(await open(`${path}.${number}`), 10, (full) => {
      names.push(full.path);
      return open(`${path}.${++number}`);
    });
    assert.equal(await rotating.append([bytes(`${"l".repeat(30)}\n`)]), 1);
    assert.deepEqual(names, [], "an empty file is full of nothing");
    const lines = ["aaaa\n", "bbbb\n", "cccc\n", "d".repeat(20) + "\n", "e\n"].map(bytes);
    const counts: number[] = [];
    for (let at = 0; at < lines.length; at += counts.at(-1)!) {
      counts.push(await rotating.append(lines.slice(at)));
    }
    assert.deepEqual(counts, [2, 1, 1, 1]);
    await rotating.file.close();
    assert.deepEqual(names, [1, 2, 3, 4].map((n) => `${path}.${n}`));
    assert.equal(await read(`${path}.4`), `${"d".repeat(20)}\n`);
    assert.equal(await read(`${path}.5`), "e\n");
  });
});
