/** The operators that `replay` was asked for. @module */
import { FakeClock } from "../harness/fake_clock.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { messageOf } from "../lib/alert/message.ts";
import { BatchStream } from "../lib/streams/batch_stream.ts";
import { DedupeStream } from "../lib/streams/dedupe_stream.ts";
import { compose } from "../lib/streams/engine/compose.ts";
import type { EventStream } from "../lib/streams/engine/event_stream.ts";
import { OperatorStream } from "../lib/streams/engine/operator_stream.ts";
import { LimitStream } from "../lib/streams/limit_stream.ts";
import { selectAlerts } from "./alert_selection.ts";
import type { ReplayArguments } from "./replay_options.ts";

const DEDUPE_MS = 60_000;

/** The end of the pipeline. */
export interface ReplayPipeline {
  /** Alerts, or arrays of them. */
  readonly stream: ReadableStream<Alert | readonly Alert[]>;
  /**
   * How many alerts were dropped, by reason.
   *
   * @returns Counts so far.
   */
  dropped(): { readonly [reason: string]: number };
}

/**
 * Puts the operators behind the alerts, in the order that the command line promises.
 *
 * They run on the time of the alerts: a clock is moved to each alert's time before the alert goes
 * on, in one synchronous step, so windows and batches come out the same whatever the machine does.
 *
 * @param alerts The alerts.
 * @param options What was asked for.
 * @returns The stream to print.
 */
export function replayPipeline(
  alerts: EventStream<Alert>,
  options: Pick<ReplayArguments, "minPriority" | "filter" | "dedupe" | "limit" | "batch">,
): ReplayPipeline {
  const clock = new FakeClock();
  const selection = selectAlerts(options);
  const operators: OperatorStream<Alert, Alert>[] = [setClock(clock), ...selection.operators];
  const { limit, batch } = options;
  const dedupe = options.dedupe
    ? new DedupeStream<Alert>((alert) => JSON.stringify([alert.rule, messageOf(alert)]), {
      windowMs: DEDUPE_MS,
      clock,
    })
    : undefined;
  if (dedupe !== undefined) operators.push(dedupe);
  if (limit !== undefined) operators.push(new LimitStream(limit));
  const chain = compose(...operators);
  const dropped = () => ({
    ...selection.dropped(),
    ...(dedupe === undefined ? {} : { duplicate: dedupe.dropped }),
  });
  if (batch === undefined) return { stream: alerts.pipeThrough(chain), dropped };
  const { size, maxWaitMs } = batch;
  const batches = new BatchStream<Alert>(size, {
    clock,
    ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
  });
  return { stream: alerts.pipeThrough(compose(chain, batches)), dropped };
}

function setClock(clock: FakeClock): OperatorStream<Alert, Alert> {
  return new OperatorStream((down) => ({
    push(alert) {
      clock.advanceTo(alert.time.seconds * 1000 + alert.time.nanos / 1e6);
      return down.push(alert);
    },
    end: () => down.end(),
  }));
}
