/** Checks that look at the text of one field, which most checks do. @module */
import type { Alert, AlertFields } from "../alert/alert.ts";
import { ABSENT } from "../alert/alert.ts";
import type { Predicate, TextTest } from "./values.ts";

/** A predicate, and what is known of it. */
export interface CompiledCheck {
  /** Asks an alert. */
  readonly test: Predicate;
  /** Set if the predicate looks at one output field and nothing else, and is false without it. */
  readonly field?: FieldCheck;
}

/** How one field is looked at. */
export interface FieldCheck {
  /** The name of the field. */
  readonly name: string;
  /** Tests its value if that is text, as all values are over gRPC. */
  readonly matches: TextTest;
  /** Asks an alert, whatever the value is. */
  readonly general: Predicate;
}

/**
 * Makes a check of one field. It gives what `general` gives, and looks the field up once where that
 * does so twice: a value that fails the test needs no proof that it is the alert's own, and not
 * Falco's word for "absent", for without the value the check is false as well.
 *
 * @param check How the field is looked at.
 * @returns The check.
 */
export function compileFieldCheck(check: FieldCheck): CompiledCheck {
  const { name, matches, general } = check;
  return {
    field: check,
    test(alert) {
      // JavaScript callers may hand in anything, as for field().
      const fields = (alert as Alert | null | undefined)?.outputFields as
        | AlertFields
        | null
        | undefined;
      const value = fields?.[name];
      if (typeof value !== "string") return value !== undefined && general(alert);
      return matches(value) && value !== ABSENT && Object.hasOwn(fields!, name);
    },
  };
}

/** How checks are tied together. */
export type Connective = "and" | "or";

/**
 * Ties checks together. Neighbours that look at the same field become one, which looks it up once.
 *
 * @param connective How.
 * @param checks At least one.
 * @returns One check; they are asked in their order.
 */
export function combineChecks(
  connective: Connective,
  checks: readonly CompiledCheck[],
): CompiledCheck {
  const merged: CompiledCheck[] = [];
  for (let start = 0, end = 0; start < checks.length; start = end) {
    const name = checks[start]!.field?.name;
    do end++; while (name !== undefined && checks[end]?.field?.name === name);
    const same = checks.slice(start, end);
    merged.push(same.length === 1 ? same[0]! : mergeFields(connective, same as SameField));
  }
  if (merged.length === 1) return merged[0]!;
  const tie = connective === "and" ? allOf : anyOf;
  return { test: tie(merged.map((check) => check.test)) };
}

type SameField = readonly (CompiledCheck & { readonly field: FieldCheck })[];

function mergeFields(connective: Connective, checks: SameField): CompiledCheck {
  const fields = checks.map((check) => check.field);
  const tie = connective === "and" ? allOf : anyOf;
  return compileFieldCheck({
    name: fields[0]!.name,
    matches: tie(fields.map((one) => one.matches)),
    general: tie(fields.map((one) => one.general)),
  });
}

type Test<T> = (value: T) => boolean;

// Written out for few: a loop would call them all from one place, which engines do not inline.
function allOf<T>(tests: readonly Test<T>[]): Test<T> {
  const [a, b, c, d] = tests as [Test<T>, Test<T>, Test<T>, Test<T>];
  if (tests.length === 2) return (value) => a(value) && b(value);
  if (tests.length === 3) return (value) => a(value) && b(value) && c(value);
  if (tests.length === 4) return (value) => a(value) && b(value) && c(value) && d(value);
  return (value) => {
    for (let index = 0; index < tests.length; index++) if (!tests[index]!(value)) return false;
    return true;
  };
}

function anyOf<T>(tests: readonly Test<T>[]): Test<T> {
  const [a, b, c, d] = tests as [Test<T>, Test<T>, Test<T>, Test<T>];
  if (tests.length === 2) return (value) => a(value) || b(value);
  if (tests.length === 3) return (value) => a(value) || b(value) || c(value);
  if (tests.length === 4) return (value) => a(value) || b(value) || c(value) || d(value);
  return (value) => {
    for (let index = 0; index < tests.length; index++) if (tests[index]!(value)) return true;
    return false;
  };
}
