/** What to do with an item when there is no room for it. @module */

/**
 * What happens when an item comes and the place for it is full.
 *
 * - `block`: the item is not asked for. Whoever is above waits, and nothing is lost here.
 * - `drop-oldest`: the item that has waited longest is dropped.
 * - `drop-newest`: the item that came is dropped.
 * - `error`: the stream fails with a {@linkcode OverflowError}, after the items that wait.
 *
 * @example
 * ```ts
 * import type { Overflow } from "@falco-streams/core/streams";
 *
 * const overflow: Overflow = "drop-oldest";
 * console.assert(overflow.startsWith("drop"));
 * ```
 */
export type Overflow = "block" | "drop-oldest" | "drop-newest" | "error";

/** All there are, to check options with. */
export const overflows: readonly Overflow[] = ["block", "drop-oldest", "drop-newest", "error"];
