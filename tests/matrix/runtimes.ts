/** The runtimes that the tests run on, fetched from npm. @module */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Runner } from "./test_report.ts";

/** A runtime that is ready to run. */
export interface Runtime {
  /** What it is called on the command line of the task. */
  readonly name: string;
  readonly runner: Runner;
  /** The version that really runs. */
  readonly version: string;
  /** The binary. */
  readonly path: string;
}

interface Wanted {
  readonly runner: Runner;
  readonly packages: readonly string[];
  /** Where the binary is, below node_modules. */
  binary(modules: string): string;
  /** What it must say of itself. */
  readonly version: RegExp;
}

const platform = process.platform === "win32" ? "win" : process.platform;
const exe = process.platform === "win32" ? ".exe" : "";

function node(major: number): Wanted {
  // `node@24` would fetch the binary by an install script, which npm 12 does not run, and without it
  // the system's own node would run and nobody would notice: hence the package of the platform.
  const name = `node-${platform}-${process.arch}`;
  return {
    runner: "node",
    packages: [`${name}@${major}`],
    binary: (modules) => join(modules, name, "bin", `node${exe}`),
    version: new RegExp(`^v${major}\\.`),
  };
}

const wantedRuntimes: Readonly<Record<string, Wanted>> = {
  node22: node(22),
  node24: node(24),
  node26: node(26),
  bun: {
    runner: "bun",
    packages: ["bun@1.4.5"],
    binary(modules) {
      const folder = join(modules, "@oven");
      const names = existsSync(folder) ? readdirSync(folder).sort() : [];
      return join(folder, names[0] ?? "", "bin", `bun${exe}`);
    },
    version: /^1\.4\.5$/,
  },
};

/** The Deno that runs this. */
export const denoRuntime: Runtime = {
  name: "deno",
  runner: "deno",
  version: `v${process.versions["deno"]}`,
  path: process.execPath,
};

/** What can be asked for, in the order in which it runs. */
export const runtimeNames: readonly string[] = ["deno", ...Object.keys(wantedRuntimes)];

/** Where runtimes are kept; git ignores it. */
const folder = fileURLToPath(new URL("../../.runtimes", import.meta.url));

/**
 * Fetches a runtime, if it is not there, and makes sure that it is the right one.
 *
 * @param name One of {@linkcode runtimeNames}.
 * @returns The runtime.
 * @throws {Error} If it cannot be fetched, or another one answers.
 */
export function fetchRuntime(name: string): Runtime {
  if (name === "deno") return denoRuntime;
  const wanted = wantedRuntimes[name]!;
  const prefix = join(folder, name);
  const path = wanted.binary(join(prefix, "node_modules"));
  if (!existsSync(path)) install(name, prefix, wanted.packages);
  const binary = wanted.binary(join(prefix, "node_modules"));
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  const version = (stdout ?? "").trim();
  if (!wanted.version.test(version)) {
    throw new Error(
      `Cannot use ${binary} as ${name}: it says it is "${version}". Remove ${prefix} and try again`,
    );
  }
  return { name, runner: wanted.runner, version, path: binary };
}

function install(name: string, prefix: string, packages: readonly string[]): void {
  mkdirSync(prefix, { recursive: true });
  const isWindows = process.platform === "win32";
  const options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
  const { status, stderr, error } = spawnSync(
    isWindows ? "npm.cmd" : "npm",
    ["install", "--prefix", prefix, ...options, ...packages],
    { encoding: "utf8", shell: isWindows },
  );
  if (status !== 0) {
    throw new Error(`Cannot fetch ${name}: npm ended with ${status}\n${stderr}${error ?? ""}`);
  }
}
