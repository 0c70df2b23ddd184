/** What is in an item. @module */
import type { Alert } from "../alert/alert.ts";
import type { Delivered } from "./delivery_options.ts";

/**
 * Takes an item apart.
 *
 * @param item An alert or several.
 * @returns The alerts, in order.
 */
export function alertsOf(item: Delivered): readonly Alert[] {
  return isList(item) ? item : [item];
}

function isList(item: Delivered): item is readonly Alert[] {
  return Array.isArray(item);
}
