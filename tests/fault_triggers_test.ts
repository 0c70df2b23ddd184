/** When faults strike, counted without a network. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import type { Fault, FaultMethod } from "../harness/faults/fault.ts";
import { FaultPlan } from "../harness/faults/fault_plan.ts";
import type { PlannedCall } from "../harness/faults/fault_plan.ts";

class Call implements PlannedCall {
  readonly method: FaultMethod | undefined;
  readonly strikes: Fault["type"][] = [];
  taken = false;
  constructor(method: FaultMethod | undefined = "sub") {
    this.method = method;
  }
  strike({ type }: Fault): void {
    this.strikes.push(type);
    this.taken = type === "status";
  }
}

function scene(lost = 0) {
  const clock = new FakeClock(1_000);
  const struck: Fault["type"][] = [];
  const plan = new FaultPlan<Call>({
    strike({ type }) {
      struck.push(type);
      return lost;
    },
  }, clock);
  return {
    clock,
    plan,
    struck,
    /** Opens a call. */
    open(method?: FaultMethod): Call {
      const call = new Call(method);
      plan.onCall(call);
      return call;
    },
    /** Sends alerts; what strikes alerts is listed, by the alert's number. */
    send(call: Call, count: number): Record<number, Fault["type"][]> {
      const found: Record<number, Fault["type"][]> = {};
      for (let number = 1; number <= count; number++) {
        const faults = plan.beforeAlert(call);
        if (faults.length > 0) found[number] = faults.map(({ type }) => type);
        plan.afterAlert(call)?.();
      }
      return found;
    },
  };
}

const reset: Fault = { type: "reset", code: 8 };

describe("FaultPlan", () => {
  it("strikes at once without a position: the server, the oldest call, or the next one", () => {
    const { plan, struck, open } = scene();
    plan.arm({ type: "restart" });
    assert.deepEqual(struck, ["restart"]);
    const [first, second] = [open(), open("get")];
    plan.arm(reset);
    assert.deepEqual([first.strikes, second.strikes], [["reset"], []]);
    plan.onCallEnd(first);
    plan.onCallEnd(second);
    plan.arm(reset);
    assert.deepEqual(open().strikes, ["reset"]);
    assert.deepEqual(open().strikes, []);
    assert(plan.idle);
  });

  it("counts calls, of sub and get unless a method is named, and begins anew", () => {
    const { plan, open } = scene();
    plan.arm({ ...reset, onCall: 2, times: 2 });
    const version = open("version");
    const calls = [open(), open("get"), open("get"), open(), open(), open()];
    assert.deepEqual(calls.map(({ strikes }) => strikes.length), [0, 1, 0, 1, 0, 0]);
    plan.arm({ ...reset, onCall: 2, method: "get" });
    const more = [open("get"), open("sub"), open("get")];
    assert.deepEqual(more.map(({ strikes }) => strikes.length), [0, 0, 1]);
    plan.arm({ ...reset, method: "version" });
    assert.deepEqual(version.strikes, ["reset"]);
    plan.arm({ ...reset, method: "version", onCall: 1 });
    assert.deepEqual([open().strikes, open("version").strikes], [[], ["reset"]]);
    const unknown = new Call();
    plan.arm(reset);
    plan.onCall(Object.assign(unknown, { method: undefined }));
    assert.deepEqual(unknown.strikes, []);
  });

  it("counts alerts over all calls, or on the call that was chosen", () => {
    const { plan, open, send } = scene();
    const [first, second] = [open(), open("get")];
    plan.arm({ ...reset, afterAlerts: 3, times: 2 });
    send(first, 2);
    assert.deepEqual(first.strikes, []);
    send(second, 1);
    assert.deepEqual(second.strikes, ["reset"]);
    send(second, 2);
    send(first, 1);
    assert.deepEqual([first.strikes, second.strikes], [["reset"], ["reset"]]);
    plan.arm({ ...reset, onCall: 2, afterAlerts: 2 });
    const [third, fourth, fifth] = [open(), open(), open()];
    send(third, 5);
    send(fifth, 5);
    send(fourth, 1);
    assert.deepEqual([third, fourth, fifth].map(({ strikes }) => strikes), [[], [], []]);
    send(fourth, 1);
    assert.deepEqual(fourth.strikes, ["reset"]);
  });

  it("chooses another call if the chosen one ends before its alerts", () => {
    const { plan, open, send } = scene();
    plan.arm({ ...reset, onCall: 1, afterAlerts: 2 });
    const first = open();
    send(first, 1);
    plan.onCallEnd(first);
    const second = open();
    send(second, 1);
    assert.deepEqual(second.strikes, []);
    send(second, 1);
    assert.deepEqual(second.strikes, ["reset"]);
  });

  it("strikes the next alerts, after as many as it lets pass", () => {
    const { plan, open, send } = scene();
    const call = open();
    plan.arm({ type: "lose" });
    assert.deepEqual(send(call, 3), { 1: ["lose"] });
    plan.arm({ type: "lose", times: 2 });
    assert.deepEqual(send(call, 3), { 1: ["lose"], 2: ["lose"] });
    plan.arm({ type: "delay", ms: 1, afterAlerts: 2, times: 2 });
    assert.deepEqual(send(call, 9), { 3: ["delay"], 5: ["delay"] });
    plan.arm({ type: "alter", to: "compressed", onCall: 1, afterAlerts: 1 });
    const other = open("get");
    assert.deepEqual(send(call, 3), {});
    assert.deepEqual(send(other, 3), { 2: ["alter"] });
    assert.deepEqual(call.strikes, []);
  });

  it("counts connections for what strikes them", () => {
    const { plan, struck, open } = scene();
    plan.arm({ type: "zero-window", onConnection: 2, times: 2 });
    plan.arm({ type: "drop", onConnection: 3 });
    const types = Array.from({ length: 5 }, () => plan.onConnection().map(({ type }) => type));
    assert.deepEqual(types, [[], ["zero-window"], ["drop"], ["zero-window"], []]);
    plan.arm({ type: "split", bytes: 1 });
    assert.deepEqual(plan.onConnection().length, 1);
    plan.arm({ type: "drop", onCall: 1 });
    assert.deepEqual(plan.onConnection(), []);
    assert.deepEqual(open().strikes, ["drop"]);
    plan.arm(reset);
    assert.deepEqual(plan.onConnection(), []);
    assert.deepEqual(struck, []);
  });

  it("leaves a call alone that a fault has ended", () => {
    const { plan, open, send } = scene();
    plan.arm({ type: "status", status: 14, onCall: 1, times: 2 });
    plan.arm({ ...reset, onCall: 1 });
    plan.arm({ ...reset, afterAlerts: 1 });
    const calls = [open(), open(), open()];
    assert.deepEqual(calls.map(({ strikes }) => strikes), [["status"], ["status"], ["reset"]]);
    send(calls[0]!, 1);
    assert.deepEqual(calls[0]!.strikes, ["status"]);
    for (const call of calls.slice(0, 2)) plan.arm(reset), plan.onCallEnd(call);
    assert.deepEqual(calls[2]!.strikes, ["reset", "reset", "reset"]);
  });

  it("strikes at the next alert if another fault came first", () => {
    const { plan, open, send } = scene();
    plan.arm({ type: "status", status: 14, afterAlerts: 2 });
    plan.arm({ ...reset, afterAlerts: 2, times: 2 });
    const [first, second] = [open(), open()];
    send(first, 2);
    assert.deepEqual(first.strikes, ["status"]);
    const twice = [plan.afterAlert(second), plan.afterAlert(second)];
    for (const strike of twice) strike?.();
    assert.deepEqual(second.strikes, ["reset"]);
    send(second, 1);
    assert.deepEqual(second.strikes, ["reset"]);
    send(second, 1);
    assert.deepEqual(second.strikes, ["reset", "reset"]);
  });

  it("waits for afterMs, and counts nothing before", () => {
    const { plan, struck, open, send, clock } = scene();
    plan.arm({ type: "restart", afterMs: 500, times: 2 });
    plan.arm({ ...reset, afterMs: 500, onCall: 2 });
    plan.arm({ type: "lose", afterMs: 500 });
    const early = open();
    assert.deepEqual(send(early, 2), {});
    clock.advance(499);
    assert.deepEqual(struck, []);
    clock.advance(1);
    assert.deepEqual(struck, ["restart"]);
    assert.deepEqual(send(early, 2), { 1: ["lose"] });
    assert.deepEqual([open(), open()].map(({ strikes }) => strikes.length), [0, 1]);
    clock.advance(499);
    assert.deepEqual(struck, ["restart"]);
    clock.advance(1);
    assert.deepEqual(struck, ["restart", "restart"]);
    assert.equal(clock.pending, 0);
    plan.arm({ ...reset, afterMs: 10 });
    clock.advance(10);
    assert.deepEqual(early.strikes, ["reset"]);
  });

  it("lets a server's fault wait for a call or an alert", () => {
    const { plan, struck, open, send } = scene(7);
    plan.arm({ type: "restart", onCall: 1 });
    plan.arm({ type: "refuse", afterAlerts: 2 });
    const call = open();
    assert.deepEqual(struck, ["restart"]);
    send(call, 2);
    assert.deepEqual(struck, ["restart", "refuse"]);
    assert.deepEqual(call.strikes, []);
    assert.deepEqual(plan.records.map(({ lostAlerts, method }) => [lostAlerts, method]), [
      [7, "sub"],
      [7, "sub"],
    ]);
  });

  it("keeps a record of what struck, and when", () => {
    const { plan, open, send, clock } = scene();
    const call = open("get");
    const lose: Fault = { type: "lose", afterAlerts: 1 };
    plan.arm(lose);
    plan.arm({ type: "zero-window" });
    assert.equal(plan.records.length, 0);
    clock.advance(5);
    send(call, 2);
    clock.advance(5);
    plan.onConnection();
    assert.deepEqual(plan.records, [
      { fault: lose, atMs: 1_005, real: true, method: "get", lostAlerts: 1 },
      {
        fault: { type: "zero-window" },
        atMs: 1_010,
        real: false,
        method: undefined,
        lostAlerts: 0,
      },
    ]);
    plan.arm({ type: "delay", ms: 0, times: 2_000 });
    send(call, 2_000);
    assert.equal(plan.records.length, 1_000);
    assert.equal(plan.records[0]?.fault.type, "delay");
  });

  it("says which faults no Falco has", () => {
    const { plan, open, send } = scene();
    const call = open();
    const faults: [Fault, boolean][] = [
      [{ type: "reset", code: 8 }, true],
      [{ type: "reset", code: 2 }, false],
      [{ type: "goaway", code: 0 }, true],
      [{ type: "goaway", code: 11 }, true],
      [{ type: "goaway", code: 1 }, false],
      [{ type: "status", status: 12 }, true],
      [{ type: "status", status: 16 }, false],
      [{ type: "trailers", trailers: {} }, false],
      [{ type: "alter", to: "oversized" }, true],
      [{ type: "alter", to: "invalid-utf8" }, false],
      [{ type: "stall" }, true],
      [{ type: "drop" }, true],
    ];
    for (const [fault, real] of faults) {
      plan.arm(fault);
      call.taken = false;
      send(call, 1);
      assert.deepEqual([plan.records.at(-1)?.fault, plan.records.at(-1)?.real], [fault, real]);
    }
  });

  it("takes faults back", () => {
    const { plan, open, clock } = scene();
    plan.arm({ ...reset, onCall: 1 })();
    const cancel = plan.arm({ ...reset, afterMs: 5 });
    assert.equal(clock.pending, 1);
    cancel();
    cancel();
    assert.equal(clock.pending, 0);
    plan.arm({ ...reset, afterMs: 5 });
    plan.arm({ ...reset, onCall: 1 });
    plan.clear();
    assert.equal(clock.pending, 0);
    assert(plan.idle);
    assert.deepEqual(open().strikes, []);
    assert.equal(plan.records.length, 0);
  });

  it("is not changed by whoever changes the fault afterwards", () => {
    const { plan, open } = scene();
    const fault = { type: "reset", code: 8, onCall: 2 } as const;
    plan.arm(fault);
    (fault as { onCall: number }).onCall = 1;
    assert.deepEqual([open(), open()].map(({ strikes }) => strikes.length), [0, 1]);
  });

  const wrong: [object, string][] = [
    [{ type: "explode" }, '"type" must be one of refuse, drop, lose, '],
    [{ type: "reset" }, 'it needs "code"'],
    [{ type: "reset", code: 8, colour: 1 }, 'it takes no "colour". It takes type, code, afterMs, '],
    [{ type: "reset", code: 8, toString: 1 }, 'it takes no "toString". '],
    [{ type: "reset", code: 1.5 }, '"code" must be a whole number from 0 to 4294967295: it is 1.5'],
    [{ type: "lose", times: 0 }, '"times" must be a whole number from 1 to 1000000: it is 0'],
    [{ type: "restart", times: 2 }, '"times" needs something to wait for in between'],
    [{ type: "drop", onConnection: 1, onCall: 1 }, '"onConnection" goes without "onCall", '],
    [{ type: "stall", onConnection: 1 }, '"onConnection" needs "afterBytes" there'],
    [
      { type: "stall", afterBytes: 5, onCall: 1 },
      '"afterBytes" goes with "onConnection" and "times"',
    ],
    [{ type: "trailers", trailers: { "grpc-message": "a\nb" } }, '"trailers" must be trailers: '],
  ];
  for (const [fault, problem] of wrong) {
    it(`refuses ${JSON.stringify(fault)}`, () => {
      const { plan } = scene();
      const { type } = fault as { type: string };
      assert.throws(() => plan.arm(fault as Fault), (error) => {
        assert(error instanceof TypeError);
        const start = `Cannot inject the fault "${type}": ${problem}`;
        assert.equal(error.message.slice(0, start.length), start);
        return true;
      });
      assert(plan.idle);
    });
  }
});
