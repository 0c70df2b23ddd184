/** Makes readers of fields, and of functions of fields. @module */
import type { Alert } from "../alert/alert.ts";
import { field } from "../alert/alert.ts";
import type { FieldOperand, Operand, Transformer } from "./ast.ts";
import { byteLength, toLowerAscii, toUpperAscii } from "./operators/ascii.ts";
import { decodeBase64 } from "./operators/base64.ts";
import type { PropertyKind } from "./properties.ts";
import { propertyOf, propertyWarning } from "./properties.ts";
import type { Read } from "./values.ts";
import { cutLists, isList, textOf } from "./values.ts";

/**
 * What is known of the values of an operand: those of a property by its kind, `number` for `len()`,
 * `any` for the fields of the output, whose types Falco knows and an alert does not say.
 */
export type OperandKind = PropertyKind | "number" | "any";

/** An operand that can be read. */
export interface CompiledOperand {
  /** What is known of its values. */
  readonly kind: OperandKind;
  /** Reads it. */
  readonly read: Read;
  /** Reads it for the operators that take lists, and for `len()`. */
  readonly readList: Read;
  /** The name of the field among the alert's output, if it is one, and nothing is done to it. */
  readonly name?: string;
}

/** Takes what is wrong with an operand: errors end the compilation, warnings do not. */
export interface OperandProblems {
  /** Makes the error, to be thrown. */
  error(reason: string): Error;
  /** Takes a warning. */
  warn(reason: string): void;
}

/**
 * Makes the reader of an operand.
 *
 * @param operand The operand.
 * @param problems Takes what is wrong with it.
 * @returns The reader, and what is known of its values.
 *
 * @throws {Error} the one that `problems` makes, when a function is applied to what it cannot take.
 */
export function compileOperand(operand: Operand, problems: OperandProblems): CompiledOperand {
  if (operand.type === "call") {
    const inner = compileOperand(operand.operand, problems);
    const { transformer } = operand;
    if (inner.kind === "number" || inner.kind === "list" && transformer !== "len") {
      const what = inner.kind === "list" ? "a list" : "the number that len() gives";
      throw problems.error(`${transformer}() takes text, not ${what}`);
    }
    const kind = transformer === "len" ? "number" : "text";
    const read = readCall(transformer, transformer === "len" ? inner.readList : inner.read);
    return { kind, read, readList: read };
  }
  const property = propertyOf(operand);
  if (property !== undefined) return { ...property, readList: property.read };
  const warning = propertyWarning(operand);
  if (warning !== undefined) problems.warn(warning);
  const name = fieldName(operand);
  const read = (alert: Alert) => field(alert, name);
  return { kind: "any", read, readList: cutLists(read), name };
}

/**
 * The name of a field among the output of an alert.
 *
 * @param operand The field.
 * @returns The name, with the argument in brackets if there is one.
 */
export function fieldName(operand: FieldOperand): string {
  return operand.argument === undefined ? operand.name : `${operand.name}[${operand.argument}]`;
}

function readCall(transformer: Transformer, read: Read): Read {
  if (transformer === "len") {
    return (alert) => {
      const value = read(alert);
      // An empty list counts as absent.
      if (isList(value)) return value.length === 0 ? undefined : value.length;
      const text = textOf(value);
      return text === undefined ? undefined : byteLength(text);
    };
  }
  const change = changes[transformer];
  return (alert) => {
    const value = read(alert);
    if (typeof value === "string") return change(value);
    // Of a list, Falco's functions of text make nothing that matches.
    const text = isList(value) ? undefined : textOf(value);
    return text === undefined ? undefined : change(text);
  };
}

const changes = {
  tolower: toLowerAscii,
  toupper: toUpperAscii,
  b64: decodeBase64,
  basename: (text: string) => text.slice(text.lastIndexOf("/") + 1),
} satisfies Record<Exclude<Transformer, "len">, (text: string) => string | undefined>;
