/**
 * A fake Falco in a process of its own, told what to do by lines of JSON on standard input; each is
 * answered by a line on standard output.
 *
 * @module
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { buildAlert } from "../../harness/build_alert.ts";
import type { Certificates } from "../../harness/certificates.ts";
import { FakeFalco } from "../../harness/fake_falco.ts";
import { scenarios } from "../../harness/scenarios/mod.ts";
import type { Alert } from "../../lib/alert/alert.ts";

/** What it can be told. */
export type HostCommand =
  | {
    readonly do: "start";
    readonly listen?: string;
    readonly falcoVersion: string;
    readonly certificates?: Certificates;
  }
  | { readonly do: "push"; readonly alerts: readonly Partial<Alert>[] }
  | { readonly do: "replay"; readonly scenario: keyof typeof scenarios }
  | { readonly do: "awaitSubscriber" | "reload" | "kill" | "dispose" | "depth" };

/** What it answers. */
export interface HostAnswer {
  readonly error?: string;
  readonly address?: string;
  readonly depth?: number;
}

let fake: FakeFalco | undefined;

async function obey(command: HostCommand): Promise<HostAnswer> {
  if (command.do === "start") {
    const { listen, falcoVersion, certificates = false } = command;
    fake = await FakeFalco.start({
      falcoVersion,
      tls: certificates,
      ...(listen === undefined ? {} : { listen }),
    });
    return { address: fake.address };
  }
  if (fake === undefined) {
    if (command.do === "dispose") return {};
    throw new Error("there is no fake yet");
  }
  switch (command.do) {
    case "push":
      fake.push(...command.alerts.map((parts) => buildAlert(parts)));
      return {};
    case "replay":
      await fake.replay(scenarios[command.scenario]);
      return {};
    case "awaitSubscriber":
      await fake.waitForSubscriber();
      return {};
    case "reload":
      await fake.reload();
      return {};
    case "kill":
      await fake.kill();
      return {};
    case "depth":
      return { depth: fake.queueDepth };
    case "dispose":
      // A client that was killed may have left calls open: that is no matter here.
      await fake.kill();
      await fake[Symbol.asyncDispose]();
      return {};
  }
}

let last: Promise<void> = Promise.resolve();
createInterface({ input: process.stdin }).on("line", (line) => {
  last = last.then(async () => {
    const answer = await obey(JSON.parse(line) as HostCommand).catch((error: unknown) => ({
      error: error instanceof Error ? error.message : String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
}).on("close", () => {
  void last.then(() => process.exit(0));
});
