/**
 * Rules of Falco's `falco-incubating_rules.yaml` and `falco-sandbox_rules.yaml`, which a site adds if
 * it wants them: names, priorities and tags are Falco's, the messages are ours.
 *
 * @module
 */
import { type Rule, who } from "./_rule.ts";

/** The rules by a short name of ours. */
export const furtherRules = {
  modifyShellConfig: {
    rule: "Modify Shell Configuration File",
    priority: "warning",
    tags: [
      "T1546.004",
      "container",
      "filesystem",
      "host",
      "maturity_incubating",
      "mitre_persistence",
    ],
    output: `Shell start-up file changed | file=%fd.name ${who}`,
  },
  scheduleCron: {
    rule: "Schedule Cron Jobs",
    priority: "notice",
    tags: [
      "T1053.003",
      "container",
      "filesystem",
      "host",
      "maturity_incubating",
      "mitre_execution",
    ],
    output: `Cron job scheduled | file=%fd.name ${who}`,
  },
  readSshInformation: {
    rule: "Read ssh information",
    priority: "error",
    tags: ["T1005", "container", "filesystem", "host", "maturity_incubating", "mitre_collection"],
    output: `SSH file read by another program | file=%fd.name ${who}`,
  },
  dbSpawned: {
    rule: "DB program spawned process",
    priority: "notice",
    tags: [
      "T1190",
      "container",
      "database",
      "host",
      "maturity_incubating",
      "mitre_execution",
      "process",
    ],
    output: `Database server started a program | ${who}`,
  },
  changeNamespace: {
    rule: "Change thread namespace",
    priority: "notice",
    tags: [
      "T1611",
      "container",
      "host",
      "maturity_incubating",
      "mitre_privilege_escalation",
      "process",
    ],
    output: `Namespace changed with setns | ${who}`,
  },
  userManagement: {
    rule: "User mgmt binaries",
    priority: "notice",
    tags: ["T1098", "host", "maturity_incubating", "mitre_persistence", "software_mgmt", "users"],
    output: `Account changed on the host | gparent=%proc.aname[2] ${who}`,
  },
  launchPrivileged: {
    rule: "Launch Privileged Container",
    priority: "informational",
    tags: ["PCI_DSS_10.2.5", "T1610", "cis", "container", "maturity_incubating", "mitre_execution"],
    output: `Privileged container started | ${who}`,
  },
  packageManagement: {
    rule: "Launch Package Management Process in Container",
    priority: "error",
    tags: [
      "T1505",
      "container",
      "maturity_incubating",
      "mitre_persistence",
      "process",
      "software_mgmt",
    ],
    output: `Package manager run in a container | ${who}`,
  },
  deleteShellHistory: {
    rule: "Delete or rename shell history",
    priority: "warning",
    tags: [
      "T1070",
      "container",
      "filesystem",
      "host",
      "maturity_incubating",
      "mitre_defense_evasion",
      "process",
    ],
    output: `Shell history removed | name=%evt.arg.name ${who}`,
  },
  setuidBit: {
    rule: "Set Setuid or Setgid bit",
    priority: "notice",
    tags: [
      "T1548.001",
      "container",
      "host",
      "maturity_incubating",
      "mitre_privilege_escalation",
      "process",
      "users",
    ],
    output: `Setuid bit set | file=%evt.arg.filename mode=%evt.arg.mode ${who}`,
  },
  mountPrivileged: {
    rule: "Mount Launched in Privileged Container",
    priority: "warning",
    tags: [
      "T1611",
      "cis",
      "container",
      "filesystem",
      "maturity_incubating",
      "mitre_privilege_escalation",
    ],
    output: `mount in a privileged container | ${who}`,
  },
  ingressCopy: {
    rule: "Launch Ingress Remote File Copy Tools in Container",
    priority: "notice",
    tags: [
      "TA0011",
      "container",
      "maturity_incubating",
      "mitre_command_and_control",
      "network",
      "process",
    ],
    output: `Download tool run in a container | ${who}`,
  },
  readEnvironment: {
    rule: "Read environment variable from /proc files",
    priority: "warning",
    tags: ["T1083", "container", "filesystem", "maturity_incubating", "mitre_discovery", "process"],
    output: `Environment of a process read | file=%fd.name ${who}`,
  },
  copyByControlPlane: {
    rule: "Exfiltrating Artifacts via Kubernetes Control Plane",
    priority: "notice",
    tags: ["TA0010", "container", "filesystem", "maturity_incubating", "mitre_exfiltration"],
    output: `File copied out by way of the API server | file=%fd.name ${who}`,
  },
  stratumMiner: {
    rule: "Detect crypto miners using the Stratum protocol",
    priority: "critical",
    tags: ["T1496", "container", "host", "maturity_sandbox", "mitre_impact", "process"],
    output: `Mining pool on a command line | ${who}`,
  },
  minerPoolPort: {
    rule: "Detect outbound connections to common miner pool ports",
    priority: "critical",
    tags: ["T1496", "container", "host", "maturity_sandbox", "mitre_impact", "network"],
    output: `Connection to a mining pool | connection=%fd.name port=%fd.rport ${who}`,
  },
  writeBelowEtc: {
    rule: "Write below etc",
    priority: "error",
    tags: ["T1098", "container", "filesystem", "host", "maturity_sandbox", "mitre_persistence"],
    output: `File below /etc written | file=%fd.name ${who}`,
  },
} as const satisfies { readonly [name: string]: Rule };
