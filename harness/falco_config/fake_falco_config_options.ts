/** What a fake Falco has to know beside its configuration. @module */
import type { Clock } from "../../lib/clock.ts";

/**
 * Options of {@linkcode FakeFalco.fromConfig}: what is not in the file.
 *
 * Such a fake hands what {@linkcode FakeFalco.push} takes to all channels that its `falco.yaml`
 * enables, in Falco's order and with its bytes: file, standard output, syslog, program, http, gRPC.
 * Rules are not evaluated: an alert is raised if its priority is at least that of the file. The file
 * is read as Falco reads it; what Falco goes on with is in `outputs.config.warnings`.
 *
 * Deno: `--allow-read` for the files that it names, `--allow-write` for `file_output`,
 * `--allow-run=/bin/sh --allow-env` for programs and `logger`, `--allow-net` for gRPC, http and UDP.
 *
 * @example Collect what Falco would write to its standard streams
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { FakeFalcoConfigOptions } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * let text = "";
 * const options: FakeFalcoConfigOptions = {
 *   stdout: (bytes) => void (text += new TextDecoder().decode(bytes)),
 *   unbuffered: true,
 * };
 * const fake = await FakeFalco.fromConfig("json_output: true\nstdout_output: {enabled: true}", options);
 * fake.push(buildAlert({ rule: "Terminal shell in container" }));
 * assert.equal(JSON.parse(text).rule, "Terminal shell in container");
 * await fake.stop();
 * assert.match(text, /\nEvents detected: 1\n/);
 * ```
 */
export interface FakeFalcoConfigOptions {
  /** The Falco to be: decides which keys there are, and what goes over gRPC. Default 0.43.1. */
  falcoVersion?: string;
  /** Time for `replay`, timeouts and the log. Default the machine's. */
  clock?: Clock;
  /** What `${NAME}` in the file stands for. Default the environment of this process; on Deno that needs `--allow-env` for the names that occur. */
  env?: { readonly [name: string]: string | undefined };
  /** What Falco's variable `FALCO_HOSTNAME` would be: the host of all alerts. Default each alert's own. */
  hostname?: string;
  /** Falco's `-U`: nothing is held back in buffers. Default false, as in Falco: standard output, files and programs get blocks of some KiB. */
  unbuffered?: boolean;
  /** Takes standard output. A promise holds up all channels. Default that of this process. */
  stdout?: (bytes: Uint8Array) => void | Promise<void>;
  /** Whether standard output is a terminal, which gets each line at once. Default that of this process; false if `stdout` is given. */
  stdoutIsTerminal?: boolean;
  /** Takes standard error: the log, if `log_stderr` is on. Default that of this process. */
  stderr?: (bytes: Uint8Array) => void | Promise<void>;
  /** Where syslog messages go: `udp://HOST:PORT`, or `logger` for the machine's own syslog. Default `logger` for alerts; Falco's log only goes to syslog if this is given. */
  syslog?: string;
}
