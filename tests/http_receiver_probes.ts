/** Receivers and senders that the tests of HttpReceiver share. @module */
import { buildAlert } from "../harness/build_alert.ts";
import { formatAlert, HttpReceiver } from "../mod.ts";
import type { HttpReceiverOptions, HttpReceiverStats } from "../mod.ts";

/** An alert of a rule, as Falco posts it. */
export const line = (rule: string): string => formatAlert(buildAlert({ rule }));

/** Runs a receiver on a free port, and gives its counts once it is closed. */
export async function withReceiver(
  options: HttpReceiverOptions,
  work: (receiver: HttpReceiver) => Promise<void>,
): Promise<HttpReceiverStats> {
  const receiver = await HttpReceiver.start({ port: 0, ...options });
  try {
    await work(receiver);
  } finally {
    if (!receiver.locked) await receiver.cancel();
    await receiver.close();
  }
  return receiver.stats();
}

/** Posts a body as any client of HTTP would; gives the status and the text of the answer. */
export async function send(
  url: string,
  body: string,
  init: RequestInit = {},
): Promise<[number, string]> {
  const response = await fetch(url, { method: "POST", body, ...init });
  return [response.status, await response.text()];
}
