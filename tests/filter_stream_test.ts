import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { ConditionError, EventStream, FilterStream } from "../lib/streams/mod.ts";
import { outcome, probedSources } from "./stream_probes.ts";

test("FilterStream keeps what the predicate accepts, in order, and asks once for each", async () => {
  const asked: number[] = [];
  const filter = new FilterStream((n: number) => {
    asked.push(n);
    return n % 2 === 0;
  });
  assert.deepEqual(await outcome(EventStream.from([1, 2, 3, 4]).pipeThrough(filter)), {
    items: [2, 4],
  });
  assert.deepEqual(asked, [1, 2, 3, 4]);
});

test("FilterStream that accepts nothing reads to the end and ends", async () => {
  for (const source of probedSources) {
    const probe = source.make([1, 2, 3]);
    const none = probe.stream.pipeThrough(new FilterStream(() => false));
    assert.deepEqual(await outcome(none), { items: [] });
    assert.equal(probe.pulls, 4);
  }
});

test("FilterStream narrows the type with a type guard", async () => {
  const isText = (value: string | number): value is string => typeof value === "string";
  const mixed: (string | number)[] = ["a", 1, "b"];
  const texts: ReadableStream<string> = EventStream.from(mixed)
    .pipeThrough(new FilterStream(isText));
  assert.deepEqual(await Array.fromAsync(texts), ["a", "b"]);
});

test("FilterStream knows the type of the items from the pipeline", async () => {
  const named = EventStream.from([{ name: "a" }, { name: "b" }])
    .pipeThrough(new FilterStream((item) => item.name === "b"));
  assert.deepEqual(await Array.fromAsync(named), [{ name: "b" }]);
});

test("FilterStream refuses a predicate that is no function", () => {
  assert.throws(
    () => new FilterStream(5 as unknown as () => boolean),
    new TypeError(
      'Cannot create FilterStream: "predicate" must be a function or a condition: current value is "5"',
    ),
  );
});

test("FilterStream takes a condition in Falco's filter language", async () => {
  const alerts = [
    buildAlert({ priority: "critical", outputFields: { "proc.name": "bash" } }),
    buildAlert({ priority: "debug", outputFields: { "proc.name": "bash" } }),
    buildAlert({ priority: "critical", outputFields: { "proc.name": "nginx" } }),
  ];
  const filter = new FilterStream("alert.priority >= warning and shell", {
    macros: { shell: "proc.name in (shells)" },
    lists: { shells: ["sh", "bash"] },
  });
  assert.deepEqual(filter.warnings, []);
  const kept = EventStream.from(alerts).pipeThrough(filter);
  assert.deepEqual(await Array.fromAsync(kept), alerts.slice(0, 1));
});

test("FilterStream refuses a condition that Falco would refuse, and reports a doubtful one", () => {
  assert.throws(() => new FilterStream("proc.name ="), ConditionError);
  assert.equal(new FilterStream('proc.name regex "("').warnings.length, 1);
  // @ts-expect-error A condition is about alerts.
  new FilterStream<number>("proc.name = sh");
});
