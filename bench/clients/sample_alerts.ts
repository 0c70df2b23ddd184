/** Alerts of the shape that Falco's own rules raise: about 700 bytes, 20 output fields. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import { priorities } from "../../lib/alert/priority.ts";

/** Rules of one kind have the same fields; these are of four kinds that share most. */
const commonFields = [
  "evt.time",
  "evt.type",
  "evt.num",
  "user.name",
  "user.uid",
  "user.loginuid",
  "proc.name",
  "proc.exepath",
  "proc.pname",
  "proc.cmdline",
  "proc.pcmdline",
  "proc.pid",
  "container.id",
  "container.name",
  "container.image.repository",
  "k8s.ns.name",
];
const kinds = [
  { rule: "Terminal shell in container", own: ["proc.tty", "proc.aname[2]", "k8s.pod.name"] },
  { rule: "Read sensitive file untrusted", own: ["fd.name", "proc.aname[2]", "k8s.pod.name"] },
  { rule: "Redirect stdout or stdin to network", own: ["fd.name", "fd.sport", "fd.l4proto"] },
  { rule: "Launch privileged container", own: ["container.privileged", "fd.num", "proc.sid"] },
];

/**
 * Makes alerts, the same ones each time.
 *
 * Their fields come in another order in each, as from a real Falco: protobuf's C++ maps are walked in
 * an order of their own (in 128 recorded messages no two orders of a rule were the same).
 *
 * @param count How many.
 * @returns The alerts, no two alike.
 */
export function sampleAlerts(count: number): Alert[] {
  const random = randomNumbers(1);
  const pick = <T>(items: readonly T[]): T => items[random() % items.length]!;
  return Array.from({ length: count }, (_, index) => {
    const { rule, own } = pick(kinds);
    const names = shuffle([...commonFields, "container.image.tag", ...own], random);
    const pid = 1000 + random() % 60_000;
    const words: Record<string, string> = {
      "evt.time": String(1767225600000000000n + BigInt(index) * 1_000_003n),
      "evt.num": String(100_000 + index),
      "proc.pid": String(pid),
      "proc.name": pick(["bash", "sh", "python3", "nginx", "curl"]),
      "proc.cmdline": `curl -s http://10.0.0.${random() % 256}/x -o /tmp/${pid}`,
      "proc.pcmdline": "containerd-shim",
      "proc.exepath": "/usr/bin/bash",
      "container.id": random().toString(16).padStart(8, "0") + "beef",
      "container.image.repository": "payments/api",
      "k8s.ns.name": "payments",
      "k8s.pod.name": `api-7d9f8b6c5-${random() % 10_000}`,
    };
    const fields = names.map((name) => [name, words[name] ?? pick(["1000", "root", "<NA>"])]);
    return {
      time: { seconds: 1767225600 + index, nanos: random() % 1_000_000_000 },
      priority: pick(priorities),
      source: "syscall",
      rule,
      output: `00:00:00.${String(random() % 1e9).padStart(9, "0")}: Notice Unexpected process ` +
        `(command=${words["proc.cmdline"]})`,
      outputFields: Object.fromEntries(fields),
      hostname: "ip-10-0-3-17",
      tags: ["container", "shell", "T1059"],
    };
  });
}

function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = random() % (last + 1);
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}

/** Whole numbers below 2^32, by a linear congruence. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // The low bits of such a generator repeat soon.
    return (state >>> 8) ^ (state << 16 >>> 16);
  };
}
