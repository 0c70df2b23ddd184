/** What a reader had to mend to take a line for an alert. @module */

/**
 * A way in which a line differed from what Falco writes and was still understood.
 *
 * - `time-object`: `{"seconds": 1, "nanos": 2}`, as Falco's Go client prints
 * - `time-offset`: another offset than `Z`; converted to UTC
 * - `time-precision`: not nine decimals, as Python and older Falcos print
 * - `priority-name`: another spelling, such as `NOTICE` (grpcurl), `critical` (client-py) or `info`
 * - `priority-number`: Falco's number, as its Go client prints
 * - `priority-absent`: none, which is how gRPC clients print `emergency`, whose number is 0
 * - `source-name`: the enum's spelling, such as `SYSCALL`, or the enum beside an empty name
 * - `key-spelling`: `outputFields` for `output_fields`, as grpcurl prints
 *
 * @example
 * ```ts
 * import { parseAlert } from "@falco-streams/core";
 * import type { Repair } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const repairs: Repair[] = [];
 * const line = '{"output":"o","output_fields":{},"priority":"NOTICE","rule":"r",' +
 *   '"source":"syscall","time":"2026-01-01T00:00:00.5Z"}';
 * parseAlert(line, { onRepair: (repair) => repairs.push(repair) });
 * assert.deepEqual(repairs, ["time-precision", "priority-name"]);
 * ```
 */
export type Repair =
  | "time-object"
  | "time-offset"
  | "time-precision"
  | "priority-name"
  | "priority-number"
  | "priority-absent"
  | "source-name"
  | "key-spelling";
