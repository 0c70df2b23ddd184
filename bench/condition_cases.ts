/**
 * Five conditions as rules of Falco have them, each in four languages: Falco's own, TypeScript by
 * hand, TypeScript with `field()`, and CEL.
 *
 * All four say the same of every alert, absent fields included: in Falco's language a comparison with
 * a field that the alert lacks is false. The code by hand is what a user of the library would write
 * who knows that `<NA>` is Falco's word for "absent" over gRPC, and that every value there is text.
 *
 * @module
 */
import type { Alert } from "../lib/alert/alert.ts";
import { field } from "../lib/alert/alert.ts";
import type { ConditionOptions } from "../lib/condition/mod.ts";

/** A condition. */
export interface ConditionCase {
  readonly name: string;
  /** In Falco's language; may use the lists and macros of {@linkcode vocabulary}. */
  readonly falco: string;
  /** By hand, from the alert's own objects. */
  readonly raw: (alert: Alert) => boolean;
  /** By hand, with the accessor that never throws and never reads a prototype. */
  readonly viaField: (alert: Alert) => boolean;
  /** In CEL: `f` is the map of the fields; `priority` and `source` are text. */
  readonly cel: string;
}

const shells = ["ash", "bash", "csh", "dash", "ksh", "sh", "tcsh", "zsh"];
const secrets = ["/etc/shadow", "/etc/sudoers", "/etc/pam.conf", "/etc/security/pwquality.conf"];
const readers = [
  "sshd",
  "sudo",
  "su",
  "login",
  "systemd",
  "passwd",
  "chage",
  "cron",
  "unix_chkpwd",
];
const urgent = ["emergency", "alert", "critical", "error", "warning"];
const minerPorts = ["25", "3333", "3334", "3335", "3336", "3357", "4444", "5555", "7777", "8888"];

/** The lists and macros of the conditions, as rules files have them. */
export const vocabulary: ConditionOptions = {
  lists: { shell_binaries: shells, secret_files: secrets, readers, miner_ports: minerPorts },
  macros: {
    container: "container.id != host",
    spawned_process: "evt.type in (execve, execveat)",
    outbound: "evt.type = connect and fd.l4proto = tcp",
  },
};

const shellSet: ReadonlySet<unknown> = new Set(shells);
const secretSet: ReadonlySet<unknown> = new Set(secrets);
const readerSet: ReadonlySet<unknown> = new Set(readers);
const urgentSet: ReadonlySet<unknown> = new Set(urgent);
const portSet: ReadonlySet<unknown> = new Set(minerPorts);

const isThere = (value: unknown): boolean => value !== undefined && value !== "<NA>";
const list = (items: readonly string[]): string => `["${items.join('", "')}"]`;

/** The conditions. */
export const conditionCases: readonly ConditionCase[] = [
  {
    name: "shell in a container",
    falco: "spawned_process and container and proc.name in (shell_binaries) and proc.tty != 0",
    raw({ outputFields: f }) {
      const type = f["evt.type"];
      const container = f["container.id"];
      const tty = f["proc.tty"];
      return (type === "execve" || type === "execveat") && isThere(container) &&
        container !== "host" && shellSet.has(f["proc.name"]) && isThere(tty) && tty !== "0";
    },
    viaField(alert) {
      const type = field(alert, "evt.type");
      if (type !== "execve" && type !== "execveat") return false;
      const container = field(alert, "container.id");
      if (container === undefined || container === "host") return false;
      if (!shellSet.has(field(alert, "proc.name"))) return false;
      const tty = field(alert, "proc.tty");
      return tty !== undefined && tty !== "0";
    },
    cel: '"evt.type" in f && f["evt.type"] in ["execve", "execveat"] && ' +
      '"container.id" in f && f["container.id"] != "<NA>" && f["container.id"] != "host" && ' +
      `"proc.name" in f && f["proc.name"] in ${list(shells)} && ` +
      '"proc.tty" in f && f["proc.tty"] != "<NA>" && f["proc.tty"] != "0"',
  },
  {
    name: "sensitive file read",
    falco: "(fd.name in (secret_files) or fd.name startswith /etc/pam.d/ or " +
      "fd.name endswith /.ssh/id_rsa) and not proc.name in (readers)",
    raw({ outputFields: f }) {
      const name = f["fd.name"];
      return typeof name === "string" &&
        (secretSet.has(name) || name.startsWith("/etc/pam.d/") || name.endsWith("/.ssh/id_rsa")) &&
        !readerSet.has(f["proc.name"]);
    },
    viaField(alert) {
      const name = field(alert, "fd.name");
      return typeof name === "string" &&
        (secretSet.has(name) || name.startsWith("/etc/pam.d/") || name.endsWith("/.ssh/id_rsa")) &&
        !readerSet.has(field(alert, "proc.name"));
    },
    cel: `"fd.name" in f && (f["fd.name"] in ${list(secrets)} || ` +
      'f["fd.name"].startsWith("/etc/pam.d/") || f["fd.name"].endsWith("/.ssh/id_rsa")) && ' +
      `!("proc.name" in f && f["proc.name"] in ${list(readers)})`,
  },
  {
    name: "severity and source",
    falco: "alert.priority >= warning and alert.source = syscall",
    raw: ({ priority, source }) => urgentSet.has(priority) && source === "syscall",
    viaField: ({ priority, source }) => urgentSet.has(priority) && source === "syscall",
    cel: `priority in ${list(urgent)} && source == "syscall"`,
  },
  {
    name: "network port",
    falco:
      "outbound and (fd.rport in (miner_ports) or fd.rport >= 30000) and not fd.sip = 127.0.0.1",
    raw({ outputFields: f }) {
      if (f["evt.type"] !== "connect" || f["fd.l4proto"] !== "tcp") return false;
      const port = f["fd.rport"];
      return isThere(port) && (portSet.has(port) || Number(port) >= 30000) &&
        f["fd.sip"] !== "127.0.0.1";
    },
    viaField(alert) {
      if (field(alert, "evt.type") !== "connect") return false;
      if (field(alert, "fd.l4proto") !== "tcp") return false;
      const port = field(alert, "fd.rport");
      return port !== undefined && (portSet.has(port) || Number(port) >= 30000) &&
        field(alert, "fd.sip") !== "127.0.0.1";
    },
    cel: '"evt.type" in f && f["evt.type"] == "connect" && ' +
      '"fd.l4proto" in f && f["fd.l4proto"] == "tcp" && "fd.rport" in f && ' +
      `f["fd.rport"] != "<NA>" && (f["fd.rport"] in ${list(minerPorts)} || ` +
      'int(f["fd.rport"]) >= 30000) && !("fd.sip" in f && f["fd.sip"] == "127.0.0.1")',
  },
  {
    name: "patterns",
    falco: "proc.exepath glob /tmp/* or " +
      'proc.cmdline regex ".*(curl|wget|nc|ncat) .*[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+.*"',
    raw: ({ outputFields: f }) => {
      const path = f["proc.exepath"];
      if (typeof path === "string" && path.startsWith("/tmp/")) return true;
      const line = f["proc.cmdline"];
      return typeof line === "string" && fetching.test(line);
    },
    viaField(alert) {
      const path = field(alert, "proc.exepath");
      if (typeof path === "string" && path.startsWith("/tmp/")) return true;
      const line = field(alert, "proc.cmdline");
      return typeof line === "string" && fetching.test(line);
    },
    cel: '"proc.exepath" in f && f["proc.exepath"].startsWith("/tmp/") || ' +
      '"proc.cmdline" in f && ' +
      'f["proc.cmdline"].matches(r"(curl|wget|nc|ncat) .*[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+")',
  },
];

/** The platform's own expressions: fast, and a hostile pattern or text can hang them. */
const fetching = /(curl|wget|nc|ncat) .*[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/;
