import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Alert } from "../lib/alert/alert.ts";

describe("buildAlert()", () => {
  it("fills in a small notice about a shell", () => {
    assert.deepEqual(buildAlert(), {
      time: { seconds: 1767225600, nanos: 0 },
      priority: "notice",
      source: "syscall",
      rule: "Terminal shell in container",
      output: "00:00:00.000000000: Notice A shell was spawned in a container " +
        "(proc_name=bash user_name=root container_name=web)",
      outputFields: { "container.name": "web", "proc.name": "bash", "user.name": "root" },
      hostname: "falco-fake",
      tags: ["container", "shell"],
    });
  });

  it("makes of each rule of the scenarios what its first alert there is, but for the time", () => {
    const first = new Map<string, Alert>();
    for (const scenario of Object.values(scenarios)) {
      for (const alert of expandScenario(scenario)) {
        if (!first.has(alert.rule)) first.set(alert.rule, alert);
      }
    }
    assert(first.size > 50);
    for (const [rule, alert] of first) {
      assert.deepEqual(buildAlert({ rule, time: alert.time, hostname: alert.hostname }), alert);
    }
  });

  it("makes of other rules what it makes of none, with their name", () => {
    assert.deepEqual(buildAlert({ rule: "Ours" }), { ...buildAlert(), rule: "Ours" });
    assert.deepEqual(buildAlert({ rule: "__proto__" }), { ...buildAlert(), rule: "__proto__" });
  });

  it("keeps every part as it is given", () => {
    const parts: Alert = {
      time: { seconds: 1, nanos: 2 },
      priority: "emergency",
      source: "internal",
      rule: "Falco internal: syscall event drop",
      output: "said",
      outputFields: {},
      hostname: "node-7",
      tags: ["b", "a"],
    };
    assert.deepEqual(buildAlert(parts), parts);
  });

  it("puts time, priority and given fields into the text", () => {
    const { output, outputFields } = buildAlert({
      rule: "Read sensitive file untrusted",
      time: { seconds: 3661, nanos: 5 },
      priority: "error",
      outputFields: { "fd.name": "/etc/gshadow" },
    });
    assert.match(output, /^01:01:01\.000000005: Error Sensitive file read \| file=\/etc\/gshadow /);
    assert.doesNotMatch(output, /%/);
    assert.deepEqual(outputFields, { "fd.name": "/etc/gshadow" });
  });

  it("puts nothing in front of what Falco says of itself", () => {
    assert.match(buildAlert({ rule: "Falco internal: syscall event drop" }).output, /^[A-Z]/);
    assert.equal(buildAlert({ rule: "Falco internal: syscall event drop" }).source, "internal");
  });
});
