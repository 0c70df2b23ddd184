/** What a configuration adds to a fake Falco, for whoever tests with it. @module */
import type { OutputStats } from "../outputs/configured_outputs.ts";
import type { FalcoConfig } from "./falco_config.ts";

/**
 * What the configuration of a fake Falco adds to it: `fake.outputs`.
 *
 * @example
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { FakeOutputs } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * let log = "";
 * const fake = await FakeFalco.fromConfig(
 *   "log_stderr: true\nfile_output: { enabled: true, filename: /no/such/folder/events.txt }\n",
 *   { stderr: (bytes) => void (log += new TextDecoder().decode(bytes)) },
 * );
 * const outputs: FakeOutputs = fake.outputs!;
 * fake.push(buildAlert());
 * await outputs.idle();
 * assert.equal(outputs.stats.lost["file"], 1);
 * assert.match(log, /: file: failed to open output file \/no\/such\/folder\/events\.txt\n/);
 * await fake.stop();
 * ```
 */
export interface FakeOutputs {
  /** The configuration in force, with its warnings. */
  readonly config: FalcoConfig;
  /** What became of the alerts since the start, or the last reload. */
  readonly stats: OutputStats;
  /** SIGUSR1: files and programs are closed and opened again, once what was pushed before is through. */
  reopen(): void;
  /**
   * Waits until the channels have taken all alerts: they are in the file, the server has answered,
   * they are in the queue for gRPC; or in a buffer, unless it is `unbuffered`.
   *
   * @returns A promise that never resolves while a channel blocks.
   */
  idle(): Promise<void>;
}
