import assert from "node:assert/strict";
import { test } from "node:test";
import { Progress } from "../cli/progress.ts";
import { FakeClock } from "../harness/fake_clock.ts";

/** A progress, the clock it looks at, and what it has written since it was last asked. */
function start(terminal: boolean) {
  const clock = new FakeClock(1_767_225_600_000);
  let text = "";
  const progress = new Progress({ write: (more) => void (text += more), clock, terminal });
  return {
    clock,
    progress,
    written(): string {
      const all = text;
      text = "";
      return all;
    },
  };
}

test("Progress shows nothing for the first 2 s", () => {
  for (const terminal of [true, false]) {
    const { clock, progress, written } = start(terminal);
    for (let count = 1; count <= 20; count++) {
      progress.update(count, 100);
      clock.advance(99);
    }
    progress.end();
    assert.equal(written(), "");
  }
});

test("Progress rewrites one line on a terminal, once a second at most", () => {
  const { clock, progress, written } = start(true);
  clock.advance(2_000);
  progress.update(4_000, 10_000);
  assert.equal(written(), "\r4000 alerts, 2000/s, 40%");
  clock.advance(999);
  progress.update(4_500, 10_000);
  assert.equal(written(), "");
  clock.advance(1);
  progress.update(4_500, 10_000);
  assert.equal(written(), "\r4500 alerts, 500/s, 45% ");
  // A count beyond the total, as when a file has grown.
  clock.advance(5_000);
  progress.update(10_500, 10_000);
  assert.equal(written(), "\r10500 alerts, 1200/s, 100%");
});

test("Progress.end() clears the line on a terminal, once", () => {
  const { clock, progress, written } = start(true);
  clock.advance(2_000);
  progress.update(10);
  const line = written();
  progress.end();
  assert.equal(written(), `\r${" ".repeat(line.length - 1)}\r`);
  progress.end();
  assert.equal(written(), "");
});

test("Progress adds a plain line every 10 s elsewhere, and leaves the lines there", () => {
  const { clock, progress, written } = start(false);
  for (let second = 1; second <= 25; second++) {
    clock.advance(1_000);
    progress.update(second * 100, 5_000);
  }
  progress.end();
  assert.equal(written(), "1000 alerts, 100/s, 20%\n2000 alerts, 100/s, 40%\n");
});

test("Progress names what was done and leaves the percentage out without a total", () => {
  for (const total of [undefined, 0]) {
    const { clock, progress, written } = start(true);
    clock.advance(4_000);
    progress.update(10, total, "checked");
    assert.equal(written(), "\r10 alerts checked, 3/s");
  }
});

test("Progress.update() after end() begins anew", () => {
  const { clock, progress, written } = start(true);
  clock.advance(3_000);
  progress.update(3_000);
  progress.end();
  written();
  clock.advance(1_999);
  progress.update(100);
  assert.equal(written(), "");
  clock.advance(1);
  progress.update(200);
  assert.equal(written(), "\r200 alerts, 100/s");
});

test("Progress goes on if the clock is set back", () => {
  let now = 100_000;
  let text = "";
  const clock = { now: () => now, random: () => 0, setTimer: () => () => {} };
  const progress = new Progress({ write: (more) => void (text += more), clock, terminal: true });
  now = 50_000;
  progress.update(10);
  assert.equal(text, "");
  now = 52_000;
  progress.update(20);
  assert.equal(text, "\r20 alerts, 10/s");
});

test("Progress sets no timers", () => {
  const { clock, progress } = start(true);
  clock.advance(2_000);
  progress.update(1);
  assert.equal(clock.pending, 0);
});
