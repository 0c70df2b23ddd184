/** Calls that a server ends in each of the ways there are, in the middle of a drain. */
import assert from "node:assert/strict";
import type { Alert } from "../lib/alert/alert.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { FalcoConnectError, FalcoRpcError } from "../lib/errors.ts";
import { callsOf } from "./client_probes.ts";
import { push, rules, testFaults } from "./fault_probes.ts";
import { Story } from "./reconnect_probes.ts";
import { outcome } from "./stream_probes.ts";
import { until } from "./waits.ts";

/** How a call ends, and what the client makes of it. */
interface Case {
  readonly fault: Fault;
  readonly name: string;
  /** Whether a subscription connects again. */
  readonly again: boolean;
  /** Looks at the error. */
  check(error: unknown, address: string): void;
}

function lost(error: unknown, address: string): void {
  assert(error instanceof FalcoConnectError, String(error));
  assert.equal(error.reason, "lost");
  assert(error.message.startsWith(`Lost the connection to ${address}: `), error.message);
  assert.match(error.message, /\. Falco may have been stopped or restarted$/);
}

function status(code: number, text = ""): (error: unknown) => void {
  return (error) => {
    assert(error instanceof FalcoRpcError, String(error));
    assert.equal(error.status, code);
    const start = `Cannot call ${error.method}: status ${code}${text === "" ? "" : ` (${text})`}`;
    assert(error.message.startsWith(start), error.message);
    assert.match(error.method, /^falco\.outputs\.service\/(sub|get)$/);
  };
}

const resets = Array.from({ length: 14 }, (_, code): Case => ({
  name: `resets it with code ${code}`,
  fault: { type: "reset", code },
  again: true,
  check: lost,
}));

// 12 has tests of its own: there is another service to try.
const statuses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 99].map((code): Case => ({
  name: `ends it with status ${code}`,
  fault: { type: "status", status: code, message: "a reason, 100 %" },
  again: [1, 2, 4, 8, 10, 13, 14, 15].includes(code),
  check: status(code, "a reason, 100 %"),
}));

const trailers: readonly Case[] = [
  { name: "sends no trailers", trailers: {}, check: lost },
  // UNKNOWN, as in every gRPC client: there is a status, but nobody knows which.
  {
    name: "sends a status that is no number",
    trailers: { "grpc-status": "abc" },
    check: status(2),
  },
  { name: "sends an empty status", trailers: { "grpc-status": "" }, check: status(2) },
  { name: "sends two statuses", trailers: { "grpc-status": ["0", "13"] }, check: status(2) },
  {
    name: "sends a message that is not percent-encoded",
    trailers: { "grpc-status": "14", "grpc-message": "100%zz" },
    check: status(14, "100%zz"),
  },
].map(({ name, trailers, check }) => ({
  name,
  fault: { type: "trailers", trailers } as Fault,
  again: true,
  check,
}));

const wire: readonly Case[] = [
  { name: "breaks the connection", fault: { type: "drop" }, again: true, check: lost },
  {
    name: "breaks it in the middle of an alert",
    fault: { type: "truncate", then: "close" },
    again: true,
    check: lost,
  },
];

for (const { name, fault, again, check } of [...resets, ...statuses, ...trailers, ...wire]) {
  // Half an alert takes that alert with it.
  const next = fault.type === "truncate" ? 4 : 3;
  const scripted = [{ ...fault, afterAlerts: 3 }];

  testFaults(`outputs.get() fails if the server ${name}`, scripted, async ({ fake, falco }) => {
    push(fake, 0, 6);
    const { items, error } = await outcome(falco.outputs.get());
    assert.deepEqual(items.map(({ rule }) => rule), rules(0, 3));
    check(error, fake.address);
    // What follows is not troubled by it.
    const rest = await outcome(falco.outputs.get());
    assert.deepEqual(rest.items.map(({ rule }) => rule), rules(next, 6));
    assert.equal(rest.error, undefined);
    assert.equal(fake.faults.length, 1);
  });

  testFaults(
    `Subscription ${again ? "goes on" : "fails"} if the server ${name}`,
    scripted,
    async ({ fake, falco, clock }) => {
      push(fake, 0, 6);
      const alerts = falco.outputs.subscribe();
      const story = new Story(alerts);
      const reader = alerts.getReader();
      const seen: string[] = [];
      const reading = (async () => {
        while (seen.length < 6 - (next - 3)) {
          const { done, value } = await reader.read();
          if (done) throw new Error("a clean end");
          seen.push((value as Alert).rule);
        }
      })();
      reading.catch(() => {});
      if (!again) {
        await assert.rejects(reading, (error) => {
          check(error, fake.address);
          return true;
        });
        await story.told;
        assert.equal(story.types, "connecting open closed");
        assert.deepEqual(seen, rules(0, 3));
        assert.equal(alerts.stats().reconnects, 0);
        return;
      }
      const { error, delayMs, attempt } = await story.nth("reconnecting", 1);
      check(error, fake.address);
      assert.equal(attempt, 2);
      // It waits: nothing is tried before that.
      const calls = fake.requests.length;
      await until("the back-off is set", () => clock.pending === 1);
      clock.advance(delayMs - 1);
      assert.equal(fake.requests.length, calls);
      clock.advance(1);
      await reading;
      assert.deepEqual(seen, [...rules(0, 3), ...rules(next, 6)]);
      await reader.cancel();
      await story.told;
      assert.equal(story.types, "connecting open reconnecting connecting open gap closed");
      const { received, reconnects, gaps, invalid, dropped, polls } = alerts.stats();
      assert.deepEqual(
        { received, reconnects, gaps, invalid, dropped },
        { received: seen.length, reconnects: 1, gaps: 1, invalid: 0, dropped: 0 },
      );
      assert(polls <= 3, `${polls} polls`);
      assert.equal(callsOf(fake, "sub").length, 2);
    },
  );

  testFaults(
    `Subscription that shall not reconnect fails if the server ${name}`,
    scripted,
    async ({ fake, falco }) => {
      push(fake, 0, 6);
      const { items, error } = await outcome(falco.outputs.subscribe({ reconnect: false }));
      assert.deepEqual(items.map(({ rule }) => rule), rules(0, 3));
      check(error, fake.address);
      assert.equal(callsOf(fake, "sub").length, 1);
    },
  );
}

testFaults(
  "outputs.get() ends, and a subscription goes on, if the server ends in order too early",
  [{ type: "status", status: 0, afterAlerts: 2, times: 2 }],
  async ({ fake, falco, clock }) => {
    push(fake, 0, 6);
    const { items, error } = await outcome(falco.outputs.get());
    assert.deepEqual([items.map(({ rule }) => rule), error], [rules(0, 2), undefined]);
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    for (const rule of rules(2, 4)) assert.equal((await reader.read()).value?.rule, rule);
    const read = reader.read();
    const { error: none, delayMs } = await story.nth("reconnecting", 1);
    assert.equal(none, undefined);
    await until("the back-off is set", () => clock.pending === 1);
    clock.advance(delayMs);
    assert.equal((await read).value?.rule, "r4");
    await reader.cancel();
  },
);

testFaults(
  "A server that resets every call is not run over",
  [{ type: "reset", code: 2, times: 1_000_000 }],
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const read = reader.read();
    for (let n = 1; n <= 8; n++) {
      const { delayMs } = await story.nth("reconnecting", n);
      // One call an attempt, however long the wait is.
      assert.equal(callsOf(fake, "sub").length, n);
      assert(delayMs >= 250 && delayMs <= 30_000, `${delayMs}`);
      await until("the back-off is set", () => clock.pending === 1);
      clock.advance(delayMs);
    }
    await reader.cancel();
    assert.deepEqual(await read, { done: true, value: undefined });
    assert.equal(alerts.stats().polls <= 9, true);
  },
);
