/**
 * What does your program do when Falco is killed, drops the line, or sends nonsense? Faults as data.
 *
 *     deno test --allow-net --allow-read --allow-write=/tmp examples/14_test_with_faults_test.ts
 */
import { connect, field } from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { buildAlert, drawFaults, FakeFalco } from "@falco-streams/core/harness";
import type { Fault } from "@falco-streams/core/harness";
import assert from "node:assert/strict";
import { it } from "node:test";

/** What is under test: hands alerts to whoever wants them, and remembers that some may be missing. */
async function watch(address: string, onAlert: (alert: Alert) => boolean): Promise<number> {
  const falco = connect(address);
  const alerts = falco.outputs.subscribe({ reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
  for await (const alert of alerts) if (onAlert(alert)) break;
  await falco.close();
  return alerts.stats().gaps;
}

/** Sends ten numbered alerts, then one that says it is over, whenever somebody listens. */
async function numbersUnder(faults: readonly Fault[]): Promise<{ seen: number[]; gaps: number }> {
  const fake = await FakeFalco.start({ faults });
  const seen: number[] = [];
  const watching = watch(fake.address, (alert) => {
    const number = Number(field(alert, "number"));
    if (number < 10) seen.push(number);
    return number === 10;
  });
  try {
    for (let number = 0; number < 10; number++) {
      await fake.waitForSubscriber();
      fake.push(buildAlert({ outputFields: { number: String(number) } }));
      await fake.drained();
      await fake.settle();
    }
    const last = setInterval(() => fake.push(buildAlert({ outputFields: { number: "10" } })), 20);
    const gaps = await watching.finally(() => clearInterval(last));
    return { seen, gaps };
  } finally {
    await fake.stop();
  }
}

it("goes on after the line was dropped", async () => {
  const { seen, gaps } = await numbersUnder([{ type: "drop", afterAlerts: 4 }]);
  assert.equal(gaps, 1);
  assert.deepEqual(seen.slice(-3), [7, 8, 9]);
});

it("skips an alert that is none, and does not lose the others", async () => {
  const { seen } = await numbersUnder([{ type: "alter", to: "no-protobuf", afterAlerts: 2 }]);
  assert.deepEqual(seen, [0, 1, 3, 4, 5, 6, 7, 8, 9]);
});

for (const seed of [1, 2, 3]) {
  it(`never hears of an alert twice, whatever happens (seed ${seed})`, async () => {
    const from: Fault[] = [{ type: "drop" }, { type: "reset", code: 8 }, { type: "restart" }];
    const { seen } = await numbersUnder(drawFaults(3, { seed, from, withinAlerts: 8 }));
    assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b));
  });
}
