/** `falco.output.service/subscribe`, of Falco 0.18 to 0.23. @module */
import { onSingleRequest, readKeepalive } from "./method.ts";
import type { Method } from "./method.ts";

/**
 * Without `keepalive` it drains the queue and ends with OK. With it the call stays, and alerts are
 * pushed as they come, in the way of `server_impl::subscribe` in grpc_server_impl.cpp of 0.23.0:
 *
 * - Before each alert that it sends, it looks at the queue once and drops what it finds: of a backlog
 *   every other alert is lost; of alerts that come one by one, none.
 * - It waits in a busy loop that blocks a thread. With as many such calls as threads, no call of any
 *   method is served until the next alert.
 * - The loop does not notice a cancel: a call that is gone takes one more alert, which is lost.
 */
export const serveSubscribe: Method = (call, context) =>
  onSingleRequest(call, context, (request) => {
    const keepalive = readKeepalive(request);
    const { queue, threads } = context;
    const end = (): void => {
      context.draining = false;
      call.finish(0);
      context.leave();
    };
    /** Holds a thread for as long as it has something to do, or waits in the busy loop. */
    const run = (leaveThread: () => void): void => {
      while (!call.closed) {
        let message = queue.tryPop();
        if (keepalive) {
          // What was in `message` is lost: Falco overwrites it.
          if (context.stopping) message = undefined;
          else message = queue.tryPop();
          if (message === undefined && !context.stopping) return waitForAlert(leaveThread);
        }
        if (message === undefined) {
          leaveThread();
          return end();
        }
        if (!send(message, leaveThread)) return;
      }
      leaveThread();
      context.leave();
    };
    /** Whether the thread may go on. */
    const send = (message: Uint8Array, leaveThread: () => void): boolean => {
      context.draining = !keepalive;
      context.alert();
      if (!call.write(message)) {
        leaveThread();
        call.onceDrained(() => threads.acquire(run));
        return false;
      }
      // Falco's threads take the calls in turn.
      if (threads.waiting === 0) return true;
      leaveThread();
      threads.acquire(run);
      return false;
    };
    const waitForAlert = (leaveThread: () => void): void => {
      let woken = false;
      const wake = (): void => {
        if (woken) return;
        const message = context.stopping ? undefined : queue.tryPop();
        if (message === undefined && !context.stopping) return queue.onNextPush?.(wake);
        woken = true;
        if (message === undefined || call.closed) {
          leaveThread();
          return end();
        }
        if (send(message, leaveThread)) run(leaveThread);
      };
      queue.onNextPush?.(wake);
      context.onStop(wake);
    };
    threads.acquire(run);
  });
