/** Falco's priorities: names, numbers, and which is more severe. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { prioritySchema } from "../gen/schema_pb.ts";
import {
  comparePriorities,
  isAtLeast,
  parsePriority,
  priorities,
  priorityName,
} from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";

/** The most severe first, with Falco's own spelling. */
const names = [
  "Emergency",
  "Alert",
  "Critical",
  "Error",
  "Warning",
  "Notice",
  "Informational",
  "Debug",
];

test("priorities are Falco's eight, by Falco's number", () => {
  assert.deepEqual(priorities, names.map((name) => name.toLowerCase()));
  for (const { number, name } of prioritySchema.values) {
    assert.equal(priorities[number], name.toLowerCase());
  }
  assert(Object.isFrozen(priorities));
});

test("priorityName writes Falco's spelling", () => {
  assert.deepEqual(priorities.map(priorityName), names);
});

test("parsePriority reads every name in any case, and info", () => {
  for (const [number, name] of names.entries()) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      assert.equal(parsePriority(spelling), priorities[number]);
    }
  }
  for (const spelling of ["info", "Info", "INFO"]) {
    assert.equal(parsePriority(spelling), "informational");
  }
});

test("parsePriority reads nothing else", () => {
  const others = ["", " ", "warn", "Warning ", "5", "emerg", "none", "__proto__", "constructor"];
  others.push("toString", "size", "eme\u0131gency", "DEBU\u0047\u0301");
  for (const text of others) assert.equal(parsePriority(text), undefined, JSON.stringify(text));
});

test("comparePriorities orders by severity, against Falco's numbers", () => {
  const shuffled: Priority[] = ["notice", "debug", "alert", "warning", "emergency", "error"];
  shuffled.push("informational", "critical");
  assert.deepEqual(shuffled.sort((a, b) => comparePriorities(b, a)), priorities);
  for (const [a, first] of priorities.entries()) {
    for (const [b, second] of priorities.entries()) {
      assert.equal(Math.sign(comparePriorities(first, second)), Math.sign(b - a));
    }
  }
});

test("isAtLeast takes the minimum and all that is more severe", () => {
  for (const [index, minimum] of priorities.entries()) {
    const taken = priorities.filter((priority) => isAtLeast(priority, minimum));
    assert.deepEqual(taken, priorities.slice(0, index + 1));
  }
});
