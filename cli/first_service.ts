/** Replays through the first of Falco's two services, of 0.18 to 0.23. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { Subscription } from "../lib/client/subscription.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";

/**
 * Lets a subscription end where the alerts do. To the first service each poll is a call of its own, so
 * that a Falco that has stopped looks like one that was lost: there is no call that it could end.
 *
 * @param alerts The subscription, without reconnect.
 * @param isWhole Whether so many alerts are all there were.
 * @returns The same alerts. Once they are whole it ends when the connection does; before, it fails.
 */
export function untilWhole(
  alerts: Subscription,
  isWhole: (received: number) => boolean,
): EventStream<Alert> {
  async function* read(): AsyncGenerator<Alert> {
    try {
      yield* alerts;
    } catch (error) {
      if (!(error instanceof FalcoConnectError && isWhole(alerts.stats().received))) throw error;
    }
  }
  return EventStream.from(read());
}
