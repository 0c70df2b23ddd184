/**
 * Takes what is posted, in a process of its own, so that its CPU time is its own: `plain` is a server of
 * `node:http` that does nothing with it, `receiver` an `HttpReceiver`. It prints its URL, and for each
 * line on standard input what it has had so far.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";

/** What it has had so far. */
export interface TargetCount {
  readonly alerts: number;
  /** User and system time of the process, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly rssBytes: number;
}

let alerts = 0;
if (process.argv[2] === "plain") {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      alerts++;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
} else {
  const receiver = await HttpReceiver.start({ port: 0 });
  console.log(receiver.url);
  void (async () => {
    for await (const _ of receiver) alerts++;
  })();
}
process.stdin.on("data", () => {
  const { user, system } = process.cpuUsage();
  const count: TargetCount = {
    alerts,
    cpuMicroseconds: user + system,
    rssBytes: process.memoryUsage().rss,
  };
  console.log(JSON.stringify(count));
});
process.stdin.on("end", () => process.exit());
