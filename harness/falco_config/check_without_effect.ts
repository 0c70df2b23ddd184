/** What Falco refuses in the sections that the fake does nothing with. @module */
import { isIP } from "node:net";
import type { ConfigPlace } from "./config_error.ts";
import type { ConfigReader } from "./config_values.ts";

/** What the checks need. */
export interface RefusalContext {
  /** The configuration. */
  readonly read: ConfigReader;
  /** The second number of Falco's version. */
  readonly minor: number;
  /** Puts Falco's words in front: which file could not be read. */
  readonly inFile: (reason: string) => string;
  /** Refuses the configuration. */
  readonly refuse: (place: ConfigPlace, reason: string) => never;
}

const engines = ["kmod", "ebpf", "modern_ebpf", "replay", "gvisor", "nodriver"];
const dropActions = ["ignore", "log", "alert", "exit"];

/** Of `1h30m`, in milliseconds. */
const units: { readonly [unit: string]: number } = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};
const MIN_METRICS_MS = 100;

/**
 * Refuses what a real Falco would not start with, though the fake could: a test is to find out before
 * the machine does.
 *
 * @param context The configuration, and what refuses it.
 */
export function checkWithoutEffect(context: RefusalContext): void {
  const { read, minor, inFile, refuse } = context;
  const kind = read.text("engine.kind", "modern_ebpf");
  if (minor >= 38 && !engines.includes(kind)) {
    refuse(read.placeOf("engine.kind"), inFile(`engine.kind '${kind}' is not a valid kind.`));
  }
  const address = read.text("webserver.listen_address", "0.0.0.0");
  if (minor >= 36 && isIP(address) === 0) {
    refuse(
      read.placeOf("webserver.listen_address"),
      inFile(`webserver listen address "${address}" is not a valid IP address`),
    );
  }
  checkDrops(context);
  if (minor >= 35) checkMetrics(context);
  checkPlugins(context);
}

function checkDrops({ read, inFile, refuse }: RefusalContext): void {
  const threshold = Number(read.text("syscall_event_drops.threshold", "0.1"));
  if (threshold < 0 || threshold > 1) {
    refuse(
      read.placeOf("syscall_event_drops.threshold"),
      inFile("syscall event drops threshold must be a double in the range [0, 1]"),
    );
  }
  if (read.texts("syscall_event_drops.actions").every((name) => dropActions.includes(name))) return;
  refuse(
    read.placeOf("syscall_event_drops.actions"),
    inFile(
      'available actions for syscall event drops are "ignore", "log", "alert", and "exit"',
    ),
  );
}

function checkMetrics({ read, refuse }: RefusalContext): void {
  if (!read.boolean("metrics.enabled", false)) return;
  const interval = read.text("metrics.interval", "5000");
  if (!(toMilliseconds(interval) >= MIN_METRICS_MS)) {
    refuse(
      read.placeOf("metrics.interval"),
      "Metrics interval must have a minimum value of 100ms and reflect a Prometheus compliant time " +
        "duration format",
    );
  }
  const hasFile = read.text("metrics.output_file", "") !== "";
  const hasWebserver = read.boolean("webserver.prometheus_metrics_enabled", false);
  if (read.boolean("metrics.output_rule", false) || hasFile || hasWebserver) return;
  refuse(read.placeOf("metrics"), "Metrics are enabled with no output configured.");
}

/** NaN if it is no such text. */
function toMilliseconds(interval: string): number {
  if (/^\d+$/.test(interval)) return Number(interval);
  if (!/^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(interval)) return NaN;
  let total = 0;
  for (const [, count, unit] of interval.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    total += Number(count) * units[unit!]!;
  }
  return total;
}

function checkPlugins({ read, refuse }: RefusalContext): void {
  const plugins = read.find("plugins");
  const known = new Set(
    (plugins?.kind === "list" ? plugins.items : []).flatMap((item) => {
      if (item.kind !== "map") return [];
      const name = item.entries.find(({ key }) => key === "name")?.value;
      return name?.kind === "text" ? [name.text] : [];
    }),
  );
  const wanted = read.find("load_plugins");
  for (const item of wanted?.kind === "list" ? wanted.items : []) {
    if (item.kind !== "text" || known.has(item.text)) continue;
    refuse(item.place, `Cannot load plugin '${item.text}': plugin config not found for given name`);
  }
}
