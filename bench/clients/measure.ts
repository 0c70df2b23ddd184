/** What each client measures of itself, so that all do it alike. @module */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { Buffer } from "node:buffer";

/** Where the server is, and what to measure. */
export interface Target {
  /** Path of the unix socket; ignored if there are certificates. */
  readonly socket: string;
  /** Folder of certificates, for mutual TLS with `localhost`; empty for the unix socket. */
  readonly certs: string;
  readonly port: number;
  /** Measure a subscription: how many alerts to wait for; 0 measures `get`. */
  readonly watch: number;
  /** Measure a subscription without alerts, for so many milliseconds. */
  readonly idleMs: number;
}

/** What one call of `get` brought. */
export interface Got {
  readonly alerts: number;
  readonly digest: number;
}

/** The parts of an alert that the digest covers, so that nothing can be left undecoded unseen. */
export interface AlertLike {
  readonly rule: string;
  readonly output: string;
  readonly tags: readonly string[];
  readonly outputFields: { readonly [name: string]: unknown };
}

/** The arguments of a client. */
export function readTarget(): Target {
  const { values } = parseArgs({
    options: {
      socket: { type: "string", default: "" },
      certs: { type: "string", default: "" },
      port: { type: "string", default: "0" },
      watch: { type: "string", default: "0" },
      idle: { type: "string", default: "0" },
    },
  });
  return {
    socket: values.socket,
    certs: values.certs,
    port: Number(values.port),
    watch: Number(values.watch),
    idleMs: Number(values.idle),
  };
}

/** The certificates in a folder, as text. */
export function readCertificates(folder: string): { ca: string; cert: string; key: string } {
  const read = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
  return { ca: read("ca.crt"), cert: read("client.crt"), key: read("client.key") };
}

/** A number that only who has decoded the alert can know. */
export function digestOf(alert: AlertLike): number {
  const name = String(alert.outputFields["proc.name"]);
  return Buffer.byteLength(alert.output) + alert.rule.length + alert.tags.length + name.length;
}

/** CPU time of this process so far, in milliseconds. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Calls `get` twice, the first time to warm up, and prints what the second took.
 *
 * @param get Reads and decodes all there is.
 */
export async function measureGet(get: () => Promise<Got>): Promise<void> {
  await get();
  const cpu = cpuMs();
  const start = performance.now();
  const { alerts, digest } = await get();
  const wallMs = performance.now() - start;
  const peak = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
  print({ alerts, digest, wallMs, cpuMs: cpuMs() - cpu, peakMiB: Number(peak?.[1]) / 1024 });
}

/** Prints a result for the main program. */
export function print(result: unknown): void {
  process.stdout.write(JSON.stringify(result) + "\n");
}
