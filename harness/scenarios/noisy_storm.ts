/** The bundled scenario of an alert storm. @module */
import type { Scenario, ScenarioAlert } from "../scenario.ts";
import { child, execve, type Fields, first, openat, tcp } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";
import { rules } from "./_rules.ts";

const root: Fields = {
  "proc.tty": 0,
  "user.loginuid": -1,
  "user.name": "root",
  "user.uid": 0,
};
const backup: Fields = {
  ...root,
  "container.id": "5d08b2c3e91f",
  "container.image.repository": "registry.example.com/ops/backup",
  "container.image.tag": "latest",
  "container.name": "backup",
  "k8s.ns.name": "ops",
  "k8s.pod.name": "nightly-backup-29453080-7qk2m",
};
const web: Fields = {
  ...root,
  "container.id": "e6a97140b8dc",
  "container.image.repository": "registry.example.com/shop/checkout",
  "container.image.tag": "5.2.1",
  "container.name": "checkout",
  "k8s.ns.name": "shop",
  "k8s.pod.name": "checkout-66f7c9d48b-m4wzl",
};

// The job restarts its loop whenever a file is missing, and says so to everybody.
const shim = { name: "containerd-shim", pid: 7001 };
const job = first(backup, shim, 7020, "/bin/bash", "bash /opt/backup.sh");
const tar = child(job, 7031, "/bin/tar", "tar cf /backup/etc.tar /etc");
const cp = child(job, 7032, "/bin/cp", "cp -a /etc/backup.d/manifest /etc/backup.d/manifest.1");
const kubectl = child(job, 7033, "/usr/local/bin/kubectl", "kubectl get cronjob nightly-backup");

// The two that matter.
const node = first(
  web,
  { name: "containerd-shim", pid: 6120 },
  6144,
  "/usr/local/bin/node",
  "node app.js",
);
const dropped = child(node, 7490, "/tmp/.npm/x", "x --daemon");
const memory = child(dropped, 7502, "/memfd:x (deleted)", "[kthreadd]");

/** The same file read over and over. */
function reads(afterMs: number, repeat: number): ScenarioAlert {
  const output_fields = openat(tar, "/etc/shadow");
  return { ...rules.readSensitiveFile, afterMs, repeat, everyMs: 250, output_fields };
}

/** The same file written over and over. */
function writes(afterMs: number, repeat: number): ScenarioAlert {
  const output_fields = openat(cp, "/etc/backup.d/manifest.1", "O_TRUNC|O_CREAT|O_WRONLY");
  return { ...rules.writeBelowEtc, afterMs, repeat, everyMs: 400, output_fields };
}

/** The same question to the API server over and over. */
function questions(afterMs: number, repeat: number): ScenarioAlert {
  const output_fields = tcp(kubectl, "connect", "192.0.2.88:36610", "198.51.100.1:443");
  return { ...rules.contactApiServer, afterMs, repeat, everyMs: 1_000, output_fields };
}

/**
 * A storm: a broken backup job raises the same three alerts dozens of times in less than a minute.
 * Two serious alerts about another pod are hidden in it, and so is Falco's own notice that it lost
 * events. Made for dedupe, throttling and priority filters; on the default host.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example What is left when every rule counts once
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const { alerts } = scenarios.noisyStorm;
 * const raised = alerts.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
 * assert.equal(raised, 58);
 * assert.equal(new Set(alerts.map((alert) => alert.rule)).size, 6);
 * ```
 */
export const noisyStorm: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "noisy storm",
  description:
    "A misbehaving backup job floods the channel with duplicates; two critical alerts of " +
    "another pod and a notice of lost events go under in it.",
  falcoVersion: "0.43.1",
  start: "2026-01-01T05:00:00Z",
  alerts: [
    reads(0, 8),
    writes(120, 6),
    questions(310, 3),
    reads(2_050, 8),
    { ...rules.dropAndExecute, afterMs: 130, output_fields: execve(dropped, "EXE_UPPER_LAYER") },
    writes(95, 7),
    reads(5_400, 6),
    {
      // No tags and numbers as text, as Falco sends it. Without placeholders, since Falco lists the
      // counters only in its text output.
      afterMs: 1_000,
      priority: "debug",
      rule: "Falco internal: syscall event drop",
      output: "Falco internal: syscall event drop. 18211 events lost in a second",
      source: "internal",
      output_fields: {
        ebpf_enabled: "1",
        n_drops: "18211",
        n_drops_buffer_clone_fork_exit: "12",
        n_drops_buffer_close_exit: "6120",
        n_drops_buffer_connect_exit: "44",
        n_drops_buffer_dir_file_exit: "820",
        n_drops_buffer_execve_exit: "9",
        n_drops_buffer_open_exit: "10377",
        n_drops_buffer_other_interest_exit: "0",
        n_drops_buffer_proc_exit: "10",
        n_drops_buffer_total: "18211",
        n_drops_bug: "0",
        n_drops_page_faults: "0",
        n_drops_scratch_map: "0",
        n_evts: "96117",
      },
    },
    questions(4_200, 4),
    {
      ...rules.filelessExecution,
      afterMs: 640,
      output_fields: execve(memory, "EXE_WRITABLE|EXE_FROM_MEMFD"),
    },
    writes(1_980, 5),
    reads(21_000, 8),
  ],
});
