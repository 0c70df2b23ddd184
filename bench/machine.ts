/** What the benchmarks ran on. @module */
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import process from "node:process";
import type { RuntimeName } from "./bench.ts";

/** A runtime, a machine, and the libraries of others. */
export interface Machine {
  readonly runtime: RuntimeName;
  /** Of the runtime. */
  readonly version: string;
  /** V8 or JavaScriptCore, with its version. */
  readonly engine: string;
  /** Operating system and kind of processor, such as `linux x64`. */
  readonly system: string;
  /** As the processor calls itself. */
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** How many processes wanted to run in the last minute, before the first benchmark. 0 on Windows. */
  readonly load: number;
  /** The versions of the libraries that are compared with, and of what this package is built on. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Looks at the machine. */
export function lookAtMachine(): Machine {
  const { bun, deno, v8, webkit } = process.versions as Record<string, string | undefined>;
  const processors = cpus();
  return {
    runtime: bun !== undefined ? "Bun" : deno !== undefined ? "Deno" : "Node",
    version: bun ?? deno ?? process.versions.node,
    engine: bun !== undefined ? `JavaScriptCore ${webkit?.slice(0, 8)}` : `V8 ${v8}`,
    system: `${process.platform} ${process.arch}`,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Math.round(loadavg()[0]! * 10) / 10,
    packages: readPackages(),
  };
}

/** All runtimes install what the lock says. */
function readPackages(): Record<string, string> {
  const lock = JSON.parse(readFileSync(new URL("./deno.lock", import.meta.url), "utf8"));
  const versions: Record<string, string> = {};
  for (const [specifier, version] of Object.entries<string>(lock.specifiers)) {
    versions[specifier.replace(/^npm:/, "").replace(/(?<=.)@.*/, "")] = version.replace(/_.*/, "");
  }
  return versions;
}
