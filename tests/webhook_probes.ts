/** Receivers and alerts that the tests of the webhook sink share. @module */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buildAlert } from "../harness/build_alert.ts";
import type { FakeClock } from "../harness/fake_clock.ts";
import type { Alert, WebhookSinkOptions } from "../mod.ts";

/** One alert of each rule. */
export const alerts = (...rules: string[]): Alert[] => rules.map((rule) => buildAlert({ rule }));

/** A receiver that a test started. */
export interface Hook {
  readonly url: string;
  /** The rules of the bodies that came, one entry a request. */
  readonly bodies: string[];
  readonly headers: IncomingHttpHeaders[];
  close(): Promise<void>;
}

const open: Hook[] = [];

/** Closes the receivers of a test; for `afterEach()`. */
export async function closeHooks(): Promise<void> {
  for (const hook of open.splice(0)) await hook.close();
}

/** A receiver that answers as it is told: one entry a request, the last for all further ones. */
export async function startHook(
  ...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]
): Promise<Hook> {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk);
    request.on("end", () => {
      headers.push(request.headers);
      bodies.push([...body.matchAll(/"rule":"([^"]*)"/g)].map((match) => match[1]).join("+"));
      (answers.length > 1 ? answers.shift()! : answers[0]!)(response, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    bodies,
    headers,
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(hook);
  return hook;
}

/** An answer of a status, without a body. */
export const status =
  (code: number, headers: Record<string, string> = {}) => (response: ServerResponse) =>
    void response.writeHead(code, { "content-length": "0", ...headers }).end();

/** The answer of a receiver that takes what it got. */
export const ok = status(200);

/** Moves the clock on each time that the sink waits. */
export function hurry(clock: FakeClock, waits: number[]): WebhookSinkOptions {
  return {
    clock,
    onRetry(_error, _attempt, delayMs) {
      waits.push(delayMs);
      setImmediate(() => clock.advance(delayMs));
    },
  };
}
