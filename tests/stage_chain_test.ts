import assert from "node:assert/strict";
import { test } from "node:test";
import { filterStage } from "../lib/streams/engine/item_step.ts";
import { StageChain } from "../lib/streams/engine/stage_chain.ts";
import type { AnyStageFactory, StageContext } from "../lib/streams/engine/stage.ts";
import { settled } from "./stream_probes.ts";

/** A chain of stages that note what happens to them; `contexts` has what each can ask for. */
function chainOf(names: string, stages: Record<string, AnyStageFactory> = {}) {
  const log: string[] = [];
  const contexts: Record<string, StageContext> = {};
  const factories = [...names].map((name): AnyStageFactory => (down, context) => {
    contexts[name] = context;
    return stages[name]?.(down, context) ?? {
      push(item) {
        log.push(`${name} ${item}`);
        return down.push(item);
      },
      end() {
        log.push(`${name} end`);
        return down.end();
      },
      cancel: (reason) => void log.push(`${name} cancel ${reason}`),
    };
  });
  const chain = new StageChain(factories, {
    push: (item) => void log.push(`out ${item}`),
    end: () => void log.push("out end"),
  }, {
    stopped: () => void log.push("stopped"),
    failed: (error) => void log.push(`failed ${error}`),
    woken: () => void log.push("woken"),
  });
  return { chain, contexts, log };
}

test("StageChain takes items down through all stages in one call", () => {
  const { chain, log } = chainOf("ab");
  assert.equal(chain.push(1), undefined);
  assert.deepEqual(log.splice(0), ["a 1", "b 1", "out 1"]);
  assert.equal(chain.end(), undefined);
  assert.deepEqual(log, ["a end", "b end", "out end"]);
});

test("StageChain without stages hands on what it gets", () => {
  const { chain, log } = chainOf("");
  chain.push(1);
  chain.end();
  assert.deepEqual(log, ["out 1", "out end"]);
});

test("StageChain stops in the middle: above is cancelled, below ends, and no more comes in", () => {
  const { chain, contexts, log } = chainOf("abc");
  contexts["b"]!.stop();
  assert.deepEqual(log.splice(0), [
    "a cancel undefined",
    "b cancel undefined",
    "c end",
    "out end",
    "stopped",
    "woken",
  ]);
  chain.push(1);
  chain.end();
  contexts["b"]!.stop();
  contexts["a"]!.stop();
  assert.deepEqual(log.splice(0), []);
  chain.cancel("reason");
  assert.deepEqual(log, ["c cancel reason"]);
});

test("StageChain that is stopped while it is built cuts off the stages above too", () => {
  const { chain, log } = chainOf("abc", {
    b: (down, context) => {
      context.stop();
      return { push() {}, end: () => down.end() };
    },
  });
  assert.deepEqual(log.splice(0), ["a cancel undefined", "c end", "out end", "stopped", "woken"]);
  chain.push(1);
  assert.deepEqual(log, []);
});

test("StageChain reports an end that fails after a stop, at once or later", async () => {
  const throws = chainOf("ab", {
    b: () => ({
      push() {},
      end() {
        throw "no";
      },
    }),
  });
  throws.contexts["a"]!.stop();
  assert.deepEqual(throws.log, ["a cancel undefined", "failed no"]);

  const rejects = chainOf("ab", { b: () => ({ push() {}, end: () => Promise.reject("no") }) });
  rejects.contexts["a"]!.stop();
  assert.deepEqual(rejects.log.splice(0), ["a cancel undefined", "stopped", "woken"]);
  await settled();
  assert.deepEqual(rejects.log, ["failed no"]);

  const waits = chainOf("ab", { b: () => ({ push() {}, end: () => Promise.resolve() }) });
  waits.contexts["a"]!.stop();
  waits.log.splice(0);
  await settled();
  assert.deepEqual(waits.log, ["woken"]);
});

test("StageChain cancels each stage once", () => {
  const { chain, contexts, log } = chainOf("ab");
  chain.cancel("first");
  chain.cancel("second");
  contexts["b"]!.stop();
  chain.push(1);
  chain.end();
  assert.deepEqual(log, ["a cancel first", "b cancel first"]);
});

test("StageChain hands on what stages ask for", () => {
  const { contexts, log } = chainOf("ab");
  contexts["a"]!.fail("broken");
  contexts["b"]!.wake();
  assert.deepEqual(log, ["failed broken", "woken"]);
});

test("StageChain lets nobody hear of an error above a stage that has stopped", async () => {
  for (const [late, way] of [["thrown", 1], ["rejected", 1], ["thrown", 2], ["rejected", 2]]) {
    const { chain, log } = chainOf("ab", {
      a: (down) => ({
        push(item) {
          down.push(item);
          if (late === "thrown") throw new Error("too late");
          return Promise.reject(new Error("too late"));
        },
        end: () => down.end(),
      }),
      b: (down, context) => ({
        push(item) {
          down.push(item);
          context.stop();
        },
        end: () => down.end(),
      }),
    });
    await (way === 1 ? chain.push(1) : chain.pushFrom({ items: [1], index: 0, end: 1 }));
    assert.deepEqual(log, ["out 1", "out end", "stopped", "woken"]);
  }
});

test("StageChain.pushFrom() goes no further than a stop, a wait or an error", async () => {
  const error = new Error("in time");
  const passes: AnyStageFactory = (down) => ({
    push: (item) => down.push(item),
    end: () => down.end(),
  });
  for (const above of [passes, filterStage<number, number>(() => true)]) {
    const cursor = { items: [0, 1, 2, 3, 4], index: 0, end: 5 };
    const out: unknown[] = [];
    const chain: StageChain = new StageChain(
      [
        above,
        (down, context) => ({
          push(item) {
            if (item === 1) return Promise.resolve();
            if (item === 3) return context.stop();
            return down.push(item);
          },
          end: () => down.end(),
        }),
      ],
      { push: (item) => void out.push(item), end: () => void out.push("end") },
      {
        // As a runner does, which wants no more.
        stopped: () => Object.assign(cursor, { items: [], index: 0, end: 0 }),
        failed() {},
        woken() {},
      },
    );
    await chain.pushFrom(cursor);
    assert.equal(cursor.index, 2);
    assert.equal(chain.pushFrom(cursor), undefined);
    assert.deepEqual(out, [0, 2, "end"]);
    Object.assign(cursor, { items: [7], index: 0, end: 1 });
    assert.equal(chain.pushFrom(cursor), undefined);
    assert.deepEqual(out, [0, 2, "end"]);
  }
  for (const way of ["thrown", "rejected"]) {
    const { chain } = chainOf("a", {
      a: () => ({
        push() {
          if (way === "thrown") throw error;
          return Promise.reject(error);
        },
        end() {},
      }),
    });
    const cursor = { items: [1], index: 0, end: 1 };
    await assert.rejects(async () => await chain.pushFrom(cursor), (given) => given === error);
  }
});

test("StageChain hands on an error as long as nothing has stopped", async () => {
  const error = new Error("in time");
  const thrown = chainOf("a", {
    a: (down) => ({
      push() {
        throw error;
      },
      end: () => down.end(),
    }),
  });
  assert.throws(() => thrown.chain.push(1), error);
  const rejected = chainOf("a", {
    a: () => ({ push: () => Promise.reject(error), end: () => {} }),
  });
  await assert.rejects(async () => await rejected.chain.push(1), error);
});
