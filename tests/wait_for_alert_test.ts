import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { expectNoAlert, waitForAlert } from "../harness/wait_for_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import { isSettled, wires, withFake } from "./fake_falco_clients.ts";

/** A stream that the test feeds. */
function feed(
  ...rules: string[]
): { alerts: ReadableStream<Alert>; push(rule: string): void; end(): void } {
  let controller!: ReadableStreamDefaultController<Alert>;
  const alerts = new ReadableStream<Alert>({
    start(given) {
      controller = given;
    },
  });
  const push = (rule: string): void => controller.enqueue(buildAlert({ rule }));
  for (const rule of rules) push(rule);
  return { alerts, push, end: () => controller.close() };
}

async function next(alerts: ReadableStream<Alert>): Promise<string | undefined> {
  const reader = alerts.getReader();
  try {
    return (await reader.read()).value?.rule;
  } finally {
    reader.releaseLock();
  }
}

describe("waitForAlert()", () => {
  it("finds the first that matches, and leaves the rest in the stream", async () => {
    const { alerts } = feed("a", "b", "c", "d");
    assert.equal((await waitForAlert(alerts, ({ rule }) => rule === "b")).rule, "b");
    assert.equal(await next(alerts), "c");
    assert.equal((await waitForAlert(alerts)).rule, "d");
  });

  it("takes a condition in Falco's filter language", async () => {
    const { alerts } = feed("a", "b");
    assert.equal((await waitForAlert(alerts, "alert.rule = b")).rule, "b");
    await assert.rejects(waitForAlert(alerts, "alert.rule ="), { name: "ConditionError" });
    assert.equal(alerts.locked, false);
  });

  it("waits for one that comes later", async () => {
    const { alerts, push } = feed();
    const found = waitForAlert(alerts);
    assert.equal(await isSettled(found), false);
    push("late");
    assert.equal((await found).rule, "late");
  });

  it("gives up in time and at its signal, and loses nothing by it", async () => {
    const { alerts, push } = feed();
    await assert.rejects(waitForAlert(alerts, undefined, { timeoutMs: 1 }), {
      name: "FalcoError",
      message: "Cannot wait for the alert any longer: 1 ms passed",
    });
    const reason = new Error("enough");
    for (const abortFirst of [true, false]) {
      const controller = new AbortController();
      if (abortFirst) controller.abort(reason);
      const waiting = waitForAlert(alerts, undefined, { signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(waiting, reason);
    }
    push("kept");
    assert.equal(await next(alerts), "kept");
  });

  it("fails when the stream ends or fails", async () => {
    const { alerts, end } = feed("a");
    end();
    await assert.rejects(waitForAlert(alerts, "alert.rule = b"), {
      name: "FalcoError",
      message: "Cannot wait for the alert: the stream has ended",
    });
    const error = new Error("broken");
    const broken = new ReadableStream<Alert>({ start: (controller) => controller.error(error) });
    await assert.rejects(waitForAlert(broken), error);
  });
});

describe("expectNoAlert()", () => {
  it("passes over others until its promise resolves, which begins with the first read", async () => {
    const { alerts, push } = feed("a");
    let resolve!: () => void;
    let begun = false;
    const done = expectNoAlert(alerts, "alert.rule = x", {
      until: () => {
        begun = true;
        return new Promise<void>((given) => resolve = given);
      },
    });
    assert.equal(begun, true);
    push("b");
    assert.equal(await isSettled(done), false);
    resolve();
    await done;
    push("c");
    assert.equal(await next(alerts), "c");
  });

  it("fails with the alert that comes", async () => {
    const { alerts, push } = feed("a");
    const done = expectNoAlert(alerts, ({ rule }) => rule === "x", {
      until: () => new Promise<void>(() => {}),
    });
    push("x");
    await assert.rejects(done, (error: Error & { actual?: Alert }) => {
      assert.equal(error.name, "AssertionError");
      assert.equal(error.message, 'An alert came that should not: "x"');
      assert.equal(error.actual?.rule, "x");
      return true;
    });
    assert.equal(alerts.locked, false);
  });

  it("waits on a clock", async () => {
    const clock = new FakeClock();
    const { alerts } = feed();
    const done = expectNoAlert(alerts, undefined, { withinMs: 500, clock });
    clock.advance(499);
    assert.equal(await isSettled(done), false);
    clock.advance(1);
    await done;
    const failed = expectNoAlert(feed("a").alerts, undefined, { withinMs: 500, clock });
    await assert.rejects(failed, { name: "AssertionError" });
    assert.equal(clock.pending, 0);
  });

  it("is content with a stream that ends", async () => {
    const { alerts, end } = feed("a");
    end();
    await expectNoAlert(alerts, "alert.rule = x", { withinMs: 1_000_000 });
  });

  it("fails with what its promise rejects with", async () => {
    const error = new Error("no");
    const { alerts } = feed();
    await assert.rejects(
      expectNoAlert(alerts, undefined, { until: () => Promise.reject(error) }),
      error,
    );
  });

  it("needs one end, and not two", async () => {
    for (const options of [{}, { withinMs: 1, until: () => Promise.resolve() }]) {
      await assert.rejects(expectNoAlert(feed().alerts, undefined, options), {
        name: "TypeError",
        message: 'Cannot expect no alert: give one of "until" and "withinMs"',
      });
    }
  });
});

for (const wire of wires) {
  describe(`waitForAlert() and a client over ${wire.name}`, () => {
    it("leave the subscription as it is", () =>
      withFake(wire, async ({ fake }) => {
        const falco = connect(fake.address, { tls: fake.credentials });
        try {
          const alerts = falco.outputs.subscribe();
          fake.push(...["a", "b", "c"].map((rule) => buildAlert({ rule })));
          assert.equal((await waitForAlert(alerts, "alert.rule = b")).rule, "b");
          await expectNoAlert(alerts, "alert.rule = x", { until: () => fake.settle() });
          fake.push(buildAlert({ rule: "x" }));
          assert.equal((await waitForAlert(alerts, "alert.rule = x")).rule, "x");
          await alerts.cancel();
        } finally {
          await falco.close();
        }
      }));
  });
}
