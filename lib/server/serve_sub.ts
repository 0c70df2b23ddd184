/** `falco.outputs.service/sub`. @module */
import { isDecodable } from "./method.ts";
import type { Method } from "./method.ts";

/**
 * Pull, not push (`request_bidi_context` in Falco's grpc_request_context.cpp): a request drains the
 * queue, then nothing comes until the next one. A request that finds the queue empty is gone without
 * an answer. Half-close or an undecodable request leaves the call open for ever; Falco then uses its
 * slot for others.
 */
export const serveSub: Method = (call, context) => {
  /** Requests that came while an earlier one was being served: read one by one afterwards. */
  let unread = 0;
  let serving = false;
  let dead = false;
  /** Whether the request that is being served has found an alert. */
  let found = false;
  const idle = (): void => {
    serving = context.draining = false;
    if (dead) context.leave();
  };
  const process = (): void => {
    while (!call.closed) {
      const room = context.sendRun();
      if (room !== undefined) {
        found = context.draining = true;
        if (!room) return call.onceDrained(process);
        continue;
      }
      // Falco takes an alert out before it looks whether it should stop: that alert is lost.
      const message = context.queue.tryPop();
      if (context.stopping) {
        call.finish(0);
        context.leave();
        return idle();
      }
      if (message !== undefined) {
        found = context.draining = true;
        context.alert();
        if (!call.write(message)) return call.onceDrained(process);
        continue;
      }
      if (!found) context.emptyPull();
      found = false;
      if (unread === 0) return idle();
      unread--;
    }
  };
  return {
    request(message) {
      if (dead) return;
      if (!isDecodable(message)) {
        context.undecodable();
        this.requestsEnd();
      } else if (serving) {
        unread++;
      } else {
        serving = true;
        process();
      }
    },
    requestsEnd() {
      dead = true;
      if (!serving) context.leave();
    },
  };
};
