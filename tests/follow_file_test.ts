import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { appendFile, mkdir, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { FalcoError, followFile, formatAlert } from "../mod.ts";
import type {
  Alert,
  CancelTimer,
  FilePosition,
  FollowedFile,
  FollowFileOptions,
  FollowStatus,
} from "../mod.ts";

const line = (rule: string): string => `${formatAlert(buildAlert({ rule }))}\n`;

/** A clock that tells when somebody begins to wait, and lets the wait end. */
class StepClock extends FakeClock {
  #waiting: () => void = () => {};

  override setTimer(callback: () => void, delayMs: number): CancelTimer {
    const cancel = super.setTimer(callback, delayMs);
    this.#waiting();
    return cancel;
  }

  /** Resolves when the end of the file has been reached, and more is waited for. */
  async atEnd(): Promise<void> {
    if (this.pending === 0) await new Promise<void>((resolve) => this.#waiting = resolve);
  }

  /** Looks again. */
  async again(): Promise<void> {
    await this.atEnd();
    this.advance(250);
  }
}

let folder: TempFolder;
let path: string;
let clock: StepClock;
let told: FollowStatus[];
let open: FollowedFile[];

beforeEach(async () => {
  folder = await makeTempFolder();
  path = join(folder.path, "falco.json");
  clock = new StepClock();
  told = [];
  open = [];
});

afterEach(async () => {
  for (const alerts of open) if (!alerts.locked) await alerts.cancel();
  await folder.remove();
});

function follow(options: FollowFileOptions = {}): FollowedFile {
  const alerts = followFile(path, {
    clock,
    onStatus: (status) => told.push(status),
    ...options,
  });
  open.push(alerts);
  return alerts;
}

/** Reads the rules of all that is there now. */
async function drain(alerts: ReadableStreamDefaultReader<Alert>, count: number): Promise<string[]> {
  const rules: string[] = [];
  while (rules.length < count) rules.push((await alerts.read()).value!.rule);
  return rules;
}

const types = (): string[] => told.map(({ type }) => type);

describe("followFile()", () => {
  it("reads what is there, then what is appended", async () => {
    await writeFile(path, line("one") + line("two"));
    const reader = follow().getReader();
    assert.deepEqual(await drain(reader, 2), ["one", "two"]);
    const third = reader.read();
    await clock.atEnd();
    await appendFile(path, line("three"));
    await clock.again();
    assert.equal((await third).value?.rule, "three");
    await reader.cancel();
    assert.equal(clock.pending, 0);
    assert.deepEqual(told, [{ type: "opened", path, offset: 0 }]);
  });

  it("waits for the rest of half a line, and of half a character", async () => {
    const bytes = new TextEncoder().encode(line("café"));
    const cut = bytes.indexOf(0xc3) + 1;
    await writeFile(path, bytes.subarray(0, cut));
    const reader = follow().getReader();
    const first = reader.read();
    await clock.atEnd();
    await appendFile(path, bytes.subarray(cut));
    await clock.again();
    assert.equal((await first).value?.rule, "café");
    await reader.cancel();
  });

  it("begins at the end on request, but reads a file that appears later from its beginning", async () => {
    await writeFile(path, line("old"));
    const reader = follow({ from: "end" }).getReader();
    const first = reader.read();
    await clock.atEnd();
    await appendFile(path, line("new"));
    await clock.again();
    assert.equal((await first).value?.rule, "new");
    await reader.cancel();

    await rm(path);
    const later = follow({ from: "end" }).getReader();
    const second = later.read();
    await clock.atEnd();
    await writeFile(path, line("later"));
    await clock.again();
    assert.equal((await second).value?.rule, "later");
    await later.cancel();
    assert.deepEqual(types(), ["opened", "missing", "opened"]);
  });

  it("tells once that the file is missing, however long it waits", async () => {
    const reading = follow().getReader();
    const first = reading.read();
    for (let looks = 0; looks < 5; looks++) await clock.again();
    await clock.atEnd();
    assert.deepEqual(told, [{ type: "missing", path }]);
    await reading.cancel();
    assert.deepEqual(await first, { done: true, value: undefined });
  });

  it("reads a renamed file to its end, until the new one has its first byte", async () => {
    await writeFile(path, line("one"));
    const alerts = follow();
    const reader = alerts.getReader();
    assert.deepEqual(await drain(reader, 1), ["one"]);
    const second = reader.read();
    await clock.atEnd();
    // logrotate with `create`: the new file is there before Falco is told to reopen.
    await rename(path, `${path}.1`);
    await writeFile(path, "");
    await clock.again();
    await clock.atEnd();
    await appendFile(`${path}.1`, line("two"));
    await clock.again();
    assert.equal((await second).value?.rule, "two");
    const third = reader.read();
    await clock.atEnd();
    await appendFile(`${path}.1`, line("three").trimEnd());
    await appendFile(path, line("four"));
    await clock.again();
    assert.equal((await third).value?.rule, "three", "the end of a file ends its last line");
    assert.deepEqual(await drain(reader, 1), ["four"]);
    await reader.cancel();
    assert.deepEqual(types(), ["opened", "rotated"]);
  });

  it("loses no line that is written just before the rename, wherever it is looking then", async () => {
    await writeFile(path, line("the first"));
    const reader = follow().getReader();
    await drain(reader, 1);
    for (let round = 0; round < 60; round++) {
      let rule: string | undefined;
      const late = reader.read().then(({ value }) => rule = value?.rule);
      await clock.again();
      // It reads and looks meanwhile, and is met in another place each time.
      for (let step = 0; step < round % 4; step++) await stat(path);
      appendFileSync(path, line(`late ${round}`));
      renameSync(path, `${path}.1`);
      writeFileSync(path, line(`new ${round}`));
      while (rule === undefined) await Promise.race([late, clock.again()]);
      assert.equal(rule, `late ${round}`);
      const next = reader.read();
      next.then(({ value }) => rule = value?.rule);
      while (rule === `late ${round}`) await Promise.race([next, clock.again()]);
      assert.equal(rule, `new ${round}`);
    }
    await reader.cancel();
  });

  it("goes on in a file that was deleted and made anew", async () => {
    await writeFile(path, line("one"));
    const reader = follow().getReader();
    assert.deepEqual(await drain(reader, 1), ["one"]);
    const second = reader.read();
    await clock.atEnd();
    // Another file beside it, so that the new one cannot get the number of the old one.
    await rename(path, join(folder.path, "elsewhere"));
    await clock.again();
    await clock.atEnd();
    await writeFile(path, line("two"));
    await clock.again();
    assert.equal((await second).value?.rule, "two");
    await reader.cancel();
  });

  it("begins anew in a file that was cut off", async () => {
    await writeFile(path, line("one") + line("two"));
    const reader = follow().getReader();
    assert.deepEqual(await drain(reader, 2), ["one", "two"]);
    const { size } = await stat(path);
    const third = reader.read();
    await clock.atEnd();
    await truncate(path, 0);
    await appendFile(path, line("three"));
    await clock.again();
    assert.equal((await third).value?.rule, "three");
    await reader.cancel();
    assert.deepEqual(told[1], { type: "truncated", path, lostFrom: size });
  });

  it("ends at the end of the file on request", async () => {
    await writeFile(path, line("one") + line("two").trimEnd());
    const rules = (await Array.fromAsync(follow({ once: true }))).map(({ rule }) => rule);
    assert.deepEqual(rules, ["one", "two"]);
    await assert.rejects(
      Array.fromAsync(followFile(`${path}.none`, { once: true })),
      (error) => error instanceof FalcoError && /there is no such file/.test(error.message),
    );
  });

  describe("from a saved position", () => {
    /** Reads two of three alerts, and returns the position behind the first. */
    async function save(): Promise<FilePosition> {
      await writeFile(path, line("one") + line("two") + line("three"));
      const alerts = follow();
      const reader = alerts.getReader();
      const { value } = await reader.read();
      await reader.read();
      await reader.cancel();
      const position = alerts.position(value!);
      assert(position !== undefined);
      assert.equal(alerts.position({ ...value! }), undefined, "another object");
      return JSON.parse(JSON.stringify(position)) as FilePosition;
    }

    const rulesFrom = async (from: FilePosition): Promise<string[]> =>
      (await Array.fromAsync(follow({ from, once: true }))).map(({ rule }) => rule);

    it("goes on behind the alert", async () => {
      const from = await save();
      assert.equal(from.offset, new TextEncoder().encode(line("one")).length);
      await appendFile(path, line("four"));
      assert.deepEqual(await rulesFrom(from), ["two", "three", "four"]);
    });

    it("finds the file under its new name, and goes on in the one after it", async () => {
      const from = await save();
      await writeFile(`${path}.gz`, "another file of that name");
      await mkdir(`${path}.d`);
      await rename(path, `${path}.1`);
      await writeFile(path, line("four"));
      assert.deepEqual(await rulesFrom(from), ["two", "three", "four"]);
      assert.deepEqual(types(), ["opened", "opened", "rotated"]);
    });

    it("reads the files between, too, when it was away for more than one rotation", async () => {
      const from = await save();
      await writeFile(`${path}.9`, line("older than all"));
      await writeFile(`${path}.2.gz`, "compressed");
      await writeFile(`${path}-notes`, line("no rotated file"));
      for (const rule of ["four", "five", "six"]) {
        for (const [old, next] of [[".2", ".3"], [".1", ".2"], ["", ".1"]]) {
          await rename(path + old, path + next).catch(() => {}); // not as many yet
        }
        await writeFile(path, line(rule));
      }
      const writtenAt = (suffix: string, seconds: number) =>
        utimes(path + suffix, seconds, seconds);
      await writtenAt(".9", 1_000_000_000);
      await writtenAt(".3", 1_000_000_100);
      // As coarse as the clocks of some file systems are.
      for (const suffix of [".2", ".1", ".2.gz", "-notes"]) await writtenAt(suffix, 1_000_000_200);
      assert.deepEqual(await rulesFrom(from), ["two", "three", "four", "five", "six"]);
      assert.deepEqual(types().slice(1), ["opened", "rotated", "rotated", "rotated"]);

      // What is open but not read yet is let go of, and what is renamed meanwhile is still found.
      const left = follow({ from }).getReader();
      assert.equal((await left.read()).value?.rule, "two");
      await left.cancel();
      const reader = follow({ from }).getReader();
      assert.deepEqual(await drain(reader, 2), ["two", "three"]);
      for (const [old, next] of [[".1", ".4"], ["", ".1"]]) await rename(path + old, path + next);
      await writeFile(path, line("seven"));
      assert.deepEqual(await drain(reader, 4), ["four", "five", "six", "seven"]);
      await reader.cancel();
    });

    it("tells of a gap where the file is gone, or another has its number", async () => {
      const from = await save();
      await writeFile(path, line("other") + line("alerts") + line("here"));
      assert.deepEqual(await rulesFrom(from), ["other", "alerts", "here"]);
      assert.deepEqual(told[1], { type: "gap", path, position: from });
      await writeFile(path, "");
      assert.deepEqual(await rulesFrom(from), []);
      assert.deepEqual(types().filter((type) => type === "gap").length, 2);
    });

    it("keeps positions of the file before while the next is read", async () => {
      await writeFile(path, line("one") + line("two"));
      const alerts = follow();
      const reader = alerts.getReader();
      const first = (await reader.read()).value!;
      await reader.read();
      const third = reader.read();
      await clock.atEnd();
      await rename(path, `${path}.1`);
      await writeFile(path, line("three"));
      await clock.again();
      await third;
      const from = alerts.position(first)!;
      await reader.cancel();
      assert.deepEqual(await rulesFrom(from), ["two", "three"]);
    });
  });

  it("tells once that the next file cannot be opened, and goes on when it can", async () => {
    await writeFile(path, line("one"));
    const reader = follow().getReader();
    assert.deepEqual(await drain(reader, 1), ["one"]);
    const second = reader.read();
    await clock.atEnd();
    await rename(path, `${path}.1`);
    await mkdir(path);
    await writeFile(join(path, "x"), ""); // so that its size is not 0 anywhere
    for (let looks = 0; looks < 3; looks++) await clock.again();
    await clock.atEnd();
    assert.deepEqual(types(), ["opened", "unreadable"]);
    await rm(path, { recursive: true });
    await writeFile(path, line("two"));
    await clock.again();
    assert.equal((await second).value?.rule, "two");
    await reader.cancel();
    assert.deepEqual(types(), ["opened", "unreadable", "rotated"]);
  });

  const noPipes = process.platform === "win32";
  it("refuses a pipe, even one that nobody writes to", { skip: noPipes }, async () => {
    await new Promise((resolve) => spawn("mkfifo", [path]).once("exit", resolve));
    await assert.rejects(Array.fromAsync(followFile(path)), /it is no regular file/);
    const from = { inode: "1", offset: 5, head: "" };
    await rename(path, `${path}.1`);
    await writeFile(path, line("one"));
    assert.equal((await Array.fromAsync(follow({ from, once: true }))).length, 1);
  });

  it("refuses what it cannot follow", async () => {
    await assert.rejects(
      Array.fromAsync(followFile(folder.path)),
      (error) => error instanceof FalcoError && /it is a folder/.test(error.message),
    );
    assert.throws(() => followFile(path, { pollMs: 0 }), RangeError);
    const from = { inode: 1, offset: 0, head: "" } as unknown as FilePosition;
    assert.throws(() => followFile(path, { from }), TypeError);
    assert.throws(
      () => followFile(path, { from: { inode: "1", offset: -1, head: "" } }),
      TypeError,
    );
  });

  it("ends with the reason of its signal while it waits", async () => {
    const stop = new AbortController();
    const reading = follow({ signal: stop.signal }).getReader().read();
    await clock.atEnd();
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(reading, reason);
    assert.equal(clock.pending, 0);
  });
});
