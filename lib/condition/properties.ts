/** The properties of the alert itself, as fields of a condition: `alert.rule` and the others. @module */
import type { Alert } from "../alert/alert.ts";
import { formatTime } from "../alert/time.ts";
import type { FieldOperand } from "./ast.ts";
import type { Read } from "./values.ts";

/** How the values of a property are compared. */
export type PropertyKind = "text" | "list" | "priority" | "time";

/** A property of the alert. */
export interface Property {
  /** How its values are compared. */
  readonly kind: PropertyKind;
  /** Reads it. */
  readonly read: Read;
}

const properties: ReadonlyMap<string, Property> = new Map<string, Property>([
  ["alert.rule", { kind: "text", read: (alert: Alert) => alert.rule }],
  ["alert.priority", { kind: "priority", read: (alert: Alert) => alert.priority }],
  ["alert.source", { kind: "text", read: (alert: Alert) => alert.source }],
  ["alert.tags", { kind: "list", read: (alert: Alert) => alert.tags }],
  ["alert.hostname", { kind: "text", read: (alert: Alert) => alert.hostname }],
  ["alert.output", { kind: "text", read: (alert: Alert) => alert.output }],
  ["alert.time", { kind: "time", read: (alert: Alert) => formatTime(alert.time) }],
]);

/**
 * Finds the property that a field names.
 *
 * @param field The field.
 * @returns The property; undefined if the field is one of the rule's output.
 */
export function propertyOf(field: FieldOperand): Property | undefined {
  return field.argument === undefined ? properties.get(field.name) : undefined;
}

/**
 * Says whether `<` and its like take a name or a time beside this field, rather than a number.
 *
 * @param field The field.
 * @returns True for `alert.priority` and `alert.time`.
 */
export function takesNames(field: FieldOperand): boolean {
  const kind = propertyOf(field)?.kind;
  return kind === "priority" || kind === "time";
}

/**
 * Says whether a field looks like a property and is none: most likely a slip of the pen.
 *
 * @param field The field.
 * @returns What to tell the user; undefined if all is well.
 */
export function propertyWarning(field: FieldOperand): string | undefined {
  if (!field.name.startsWith("alert.") || propertyOf(field) !== undefined) return undefined;
  const names = [...properties.keys()].join(", ");
  return `"${field.name}" is read as an output field; the properties of an alert are ${names}`;
}
