/** `falco.outputs.service/get`. @module */
import { onSingleRequest } from "./method.ts";
import type { Method } from "./method.ts";

/**
 * Drains the queue and ends with OK. "Empty" is what each single look at the queue finds: under a
 * constant load it goes on.
 */
export const serveGet: Method = (call, context) =>
  onSingleRequest(call, context, () => {
    const process = (): void => {
      context.draining = true;
      while (!call.closed) {
        const room = context.sendRun();
        if (room === false) return call.onceDrained(process);
        if (room === true) continue;
        const message = context.queue.tryPop();
        if (message === undefined || context.stopping) {
          context.draining = false;
          call.finish(0);
          context.leave();
          return;
        }
        context.alert();
        if (!call.write(message)) return call.onceDrained(process);
      }
    };
    process();
  });
