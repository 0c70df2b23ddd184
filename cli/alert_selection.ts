/** The operators behind `--min-priority` and `--filter`. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { isAtLeast } from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";
import type { OperatorStream } from "../lib/streams/engine/operator_stream.ts";
import { FilterStream } from "../lib/streams/filter_stream.ts";

/** Operators that leave alerts out, and what they left out. */
export interface AlertSelection {
  /** The operators in their order, unused. */
  readonly operators: readonly OperatorStream<Alert, Alert>[];
  /**
   * How many alerts were left out, by reason.
   *
   * @returns Counts so far; a reason that was not asked for is not there.
   */
  dropped(): { readonly [reason: string]: number };
}

/**
 * Makes the operators, the priority first.
 *
 * @param options What was asked for.
 * @returns The operators, none if nothing was.
 */
export function selectAlerts(options: {
  readonly minPriority: Priority | undefined;
  readonly filter: ((alert: Alert) => boolean) | undefined;
}): AlertSelection {
  const { minPriority, filter } = options;
  const operators: OperatorStream<Alert, Alert>[] = [];
  let belowPriority = 0;
  if (minPriority !== undefined) {
    operators.push(
      new FilterStream((alert) => {
        if (isAtLeast(alert.priority, minPriority)) return true;
        belowPriority++;
        return false;
      }),
    );
  }
  let unmatched = 0;
  if (filter !== undefined) {
    operators.push(
      new FilterStream((alert) => {
        if (filter(alert)) return true;
        unmatched++;
        return false;
      }),
    );
  }
  return {
    operators,
    dropped: () => ({
      ...(minPriority === undefined ? {} : { [`below ${minPriority}`]: belowPriority }),
      ...(filter === undefined ? {} : { "not matched": unmatched }),
    }),
  };
}
