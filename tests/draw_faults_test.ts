import assert from "node:assert/strict";
import { test } from "node:test";
import { drawFaults } from "../harness/faults/draw_faults.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { checkFault } from "../harness/faults/fault_rules.ts";
import { isReal } from "../harness/faults/fault_plan.ts";
import { push, rules, testFaults } from "./fault_probes.ts";
import { passAll } from "./reconnect_probes.ts";

test("drawFaults() draws the same with the same seed, and all kinds in the long run", () => {
  const faults = drawFaults(500, { seed: 3 });
  assert.deepEqual(faults, drawFaults(500, { seed: 3 }));
  assert.notDeepEqual(faults, drawFaults(500, { seed: 4 }));
  for (const fault of faults) {
    checkFault(fault);
    assert(isReal(fault), fault.type);
  }
  assert.equal(new Set(faults.map(({ type }) => type)).size, 9);
  const positions = faults.map(({ afterAlerts = 0 }) => afterAlerts);
  assert(Math.min(...positions) >= 1 && Math.min(...positions) < 20);
  assert(Math.max(...positions) <= 1000 && Math.max(...positions) > 980);
  assert.deepEqual(drawFaults(2).map(({ type, afterAlerts }) => [type, afterAlerts]), [
    ["stall", 851],
    ["goaway", 499],
  ]);
});

test("drawFaults() draws moments, and from what it is given", () => {
  const from: Fault[] = [{ type: "restart" }, { type: "reset", code: 2 }];
  const faults = drawFaults(100, { from, withinMs: 60_000 });
  assert.deepEqual(new Set(faults.map(({ type }) => type)), new Set(["restart", "reset"]));
  for (const fault of faults) {
    checkFault(fault);
    assert.equal(fault.afterAlerts, undefined);
    assert(fault.afterMs! >= 0 && fault.afterMs! < 60_000);
  }
  assert.deepEqual(drawFaults(0), []);
});

test("drawFaults() refuses what is out of range", () => {
  for (const count of [-1, 1.5, NaN]) assert.throws(() => drawFaults(count), RangeError);
  for (
    const options of [
      { seed: 0.5 },
      { from: [] },
      { withinMs: 0 },
      { withinMs: Infinity },
      { withinAlerts: 0 },
      { withinAlerts: 1.5 },
    ]
  ) {
    const [name] = Object.keys(options);
    assert.throws(() => drawFaults(1, options), {
      name: "RangeError",
      message: new RegExp(`^Cannot draw faults as "${name}" must be `),
    });
  }
});

for (const seed of [1, 2, 3]) {
  testFaults(
    `Subscription survives whatever is drawn with seed ${seed}`,
    // Without restarts, which lose a queue: then nobody could tell how many must come.
    drawFaults(30, {
      seed,
      withinAlerts: 100,
      from: [
        { type: "drop" },
        { type: "delay", ms: 1_000 },
        { type: "stall", forMs: 5_000 },
        { type: "reset", code: 8 },
        { type: "status", status: 14 },
      ],
    }),
    async ({ fake, falco, clock }) => {
      const alerts = falco.outputs.subscribe({ reconnect: { maxDelayMs: 1_000 } });
      const reader = alerts.getReader();
      let last = -1;
      for (let count = 0; count < 300; count++) {
        push(fake, count, count + 1);
        const { value } = await passAll(clock, reader.read());
        const number = rules(0, 300).indexOf(value!.rule);
        assert(number > last, `${value!.rule} after r${last}`);
        last = number;
      }
      assert.equal(last, 299);
      assert.equal(fake.faults.length, 30);
      await reader.cancel();
    },
  );
}
