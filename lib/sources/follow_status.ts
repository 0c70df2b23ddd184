/** What happens to a followed file. @module */
import type { FalcoError } from "../errors.ts";
import type { FilePosition } from "./file_position.ts";

/**
 * What `followFile` tells of its file.
 *
 * - `missing`: there is none yet; it is waited for
 * - `opened`: reading begins at `offset`
 * - `rotated`: another file took its place, and the old one is read to its end
 * - `unreadable`: another file took its place and cannot be opened; it is tried again
 * - `truncated`: it was cut off; what stood behind `lostFrom` and was not read yet is lost
 * - `gap`: the file of a saved position is gone; what came after that position is lost
 *
 * @example
 * ```ts
 * import type { FollowStatus } from "@falco-streams/core";
 *
 * const status: FollowStatus = { type: "opened", path: "/var/log/falco.json", offset: 0 };
 * console.assert(status.type === "opened");
 * ```
 */
export type FollowStatus =
  | { readonly type: "missing"; readonly path: string }
  | { readonly type: "opened"; readonly path: string; readonly offset: number }
  | { readonly type: "rotated"; readonly path: string }
  | { readonly type: "unreadable"; readonly path: string; readonly error: FalcoError }
  | { readonly type: "truncated"; readonly path: string; readonly lostFrom: number }
  | { readonly type: "gap"; readonly path: string; readonly position: FilePosition };
