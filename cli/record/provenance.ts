/** What stands beside a recording, so that nobody has to guess what it is. @module */
import { rename, writeFile } from "node:fs/promises";
import type { FalcoVersion } from "../../lib/client/falco_version.ts";
import type { RecordedFile } from "./record_files.ts";
import type { RecordForm } from "./record_name.ts";

/**
 * Why a recording ended; `running` if it was not ended in order. `falco`: Falco ended the call;
 * `source`: the file or standard input came to its end.
 */
export type RecordingEnd =
  | "running"
  | "limit"
  | "duration"
  | "interrupted"
  | "falco"
  | "source"
  | "failed";

/** The contents of `FILE.provenance.json`. Later versions add keys and change none. */
export interface Provenance {
  readonly version: 1;
  readonly recorder: "falco-streams record";
  readonly form: RecordForm;
  /** How a wire recording came about: whether the bytes are Falco's own. */
  readonly encoding?: string;
  readonly address: string;
  /** What Falco said of itself; null if it did not, or the alerts did not come over gRPC. */
  readonly falco: FalcoVersion | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly end: RecordingEnd;
  /** Why it failed. */
  readonly error?: string;
  readonly minPriority: string | null;
  readonly filter: string | null;
  readonly redacted: readonly string[];
  readonly alerts: number;
  /** The digest that `replay` prints for all files together. */
  readonly digest: string;
  /** What came from Falco, and what may be missing. */
  readonly received: number;
  readonly dropped: { readonly [reason: string]: number };
  /** How often the connection was lost and made again, or the file cut off: alerts may be missing there. */
  readonly gaps: number;
  /** Their names, without the folder: they are beside this one. */
  readonly files: readonly RecordedFile[];
}

/**
 * Writes it, in the place of an earlier one in one step.
 *
 * @param path Where to.
 * @param provenance What to write.
 */
export async function writeProvenance(path: string, provenance: Provenance): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, `${JSON.stringify(provenance, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
