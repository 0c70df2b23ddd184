/** The worker that all outputs share: their order, one that blocks, the queue, and its end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import type { AlertOutput, OutputMessage } from "../harness/outputs/alert_output.ts";
import { OutputWorker } from "../harness/outputs/output_worker.ts";
import { message } from "./output_probes.ts";

/** A channel that is told when to go on. */
class HeldOutput implements AlertOutput {
  readonly name: string;
  readonly lost = 0;
  readonly written: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly #isHeld: boolean;

  constructor(name: string, isHeld: boolean) {
    this.name = name;
    this.#isHeld = isHeld;
  }

  write({ line }: OutputMessage): void | Promise<void> {
    this.written.push(line);
    if (this.#isHeld) return new Promise((resolve) => this.#held.push(resolve));
  }

  reopen(): void {
    this.written.push("reopened");
  }

  close(): void {
    this.written.push("closed");
  }

  free(): void {
    this.#held.shift()?.();
  }
}

describe("OutputWorker", () => {
  const setUp = (options: { capacity?: number; timeoutMs?: number } = {}) => {
    const { capacity = Infinity, timeoutMs = 2000 } = options;
    const clock = new FakeClock(0);
    const log: string[] = [];
    const before = new HeldOutput("stdout", false);
    const held = new HeldOutput("http", true);
    const behind = new HeldOutput("grpc", false);
    const worker = new OutputWorker([before, held, behind], {
      capacity,
      timeoutMs,
      clock,
      log: (level, text) => log.push(`${level} ${text}`),
    });
    const push = (...lines: string[]) => lines.forEach((line) => worker.push(message(line)));
    return { clock, log, before, held, behind, worker, push };
  };
  /** Lets promises go on. */
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

  it("has delivered when push() returns, as long as no channel has to be waited for", () => {
    const output = new HeldOutput("file", false);
    const worker = new OutputWorker([output], {
      capacity: 1,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: assert.fail,
    });
    for (const line of ["a", "b", "c"]) worker.push(message(line));
    assert.deepEqual(output.written, ["a", "b", "c"]);
    assert.equal(worker.dropped, 0);
  });

  it("lets a channel that blocks stop all others, and goes on in order", async () => {
    const { before, held, behind, worker, push } = setUp();
    push("a", "b");
    await turn();
    assert.deepEqual([before.written, held.written, behind.written], [["a"], ["a"], []]);
    held.free();
    await turn();
    assert.deepEqual([before.written, held.written, behind.written], [["a", "b"], ["a", "b"], [
      "a",
    ]]);
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "b"]);
  });

  it("complains of a channel that blocks once an alert, and never cancels it", async () => {
    const { clock, log, held, behind, worker, push } = setUp();
    push("a", "b");
    clock.advance(1999);
    assert.deepEqual(log, []);
    clock.advance(10_000);
    const complaint = 'critical "http" output timeout, all output channels are blocked';
    assert.deepEqual(log, [complaint]);
    held.free();
    await turn();
    clock.advance(2000);
    assert.deepEqual(log, [complaint, complaint]);
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "b"]);
  });

  it("drops the newest when the queue is full, logs it once and counts each", async () => {
    const { log, held, behind, worker, push } = setUp({ capacity: 5 });
    push(..."abcdefghij");
    assert.equal(worker.dropped, 4);
    assert.equal(worker.depth, 5);
    assert.deepEqual(log, ["error Outputs queue out of memory. Drop event and continue on ..."]);
    for (let i = 0; i < 6; i++) {
      held.free();
      await turn();
    }
    await worker.idle();
    assert.deepEqual(behind.written, [..."abcdef"]);
  });

  it("logs a channel that fails, and the others get the alert", () => {
    const log: string[] = [];
    const failing: AlertOutput = {
      name: "file",
      lost: 0,
      write: () => {
        throw new Error("failed to open output file x");
      },
    };
    const output = new HeldOutput("stdout", false);
    const worker = new OutputWorker([failing, output], {
      capacity: Infinity,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: (level, text) => log.push(`${level} ${text}`),
    });
    worker.push(message("a"));
    assert.deepEqual(output.written, ["a"]);
    assert.deepEqual(log, ["error file: failed to open output file x"]);
  });

  it("reopens when its turn has come", async () => {
    const { held, behind, worker, push } = setUp();
    push("a");
    worker.reopen();
    push("b");
    held.free();
    await turn();
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "reopened", "b"]);
  });

  it("gives the queue output_timeout at the end, and throws the rest away", async () => {
    const { clock, log, held, behind, worker, push } = setUp();
    push("a", "b", "c", "d");
    const stopped = worker.stop();
    held.free();
    await turn();
    clock.advance(2000);
    assert(
      log.includes("notice output channels still blocked, discarding all remaining notifications"),
    );
    assert.equal(worker.discarded, 2);
    // The one in work is waited for without limit.
    held.free();
    await stopped;
    assert.deepEqual(behind.written, ["a", "b", "closed"]);
  });

  it("throws the queue away at once with output_timeout 0, and complains of nothing before", async () => {
    const { clock, log, held, worker, push } = setUp({ timeoutMs: 0 });
    push("a", "b");
    clock.advance(60_000);
    assert.deepEqual(log, []);
    const stopped = worker.stop();
    assert.equal(log.length, 1);
    assert.equal(worker.discarded, 1);
    held.free();
    await stopped;
  });

  it("does not go on to the next channel when it is killed at a later one", async () => {
    const [first, second] = [new HeldOutput("program", true), new HeldOutput("http", true)];
    const behind = new HeldOutput("grpc", false);
    const worker = new OutputWorker([first, second, behind], {
      capacity: Infinity,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: assert.fail,
    });
    worker.push(message("a"));
    first.free();
    await turn();
    worker.kill();
    second.free();
    await worker.idle();
    assert.deepEqual(second.written, ["a"]);
    assert.deepEqual(behind.written, []);
  });

  it("leaves everything at once when it is killed", async () => {
    const { held, behind, worker, push } = setUp();
    push("a", "b");
    worker.kill();
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, []);
    assert.deepEqual(held.written, ["a"]);
  });
});
