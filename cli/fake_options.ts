/** The arguments of `fake`. @module */
import { parseOptions, quote, wholeNumber } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What `fake --help` prints. */
export const fakeHelp = `Usage: fake [OPTION...]

Serves a fake Falco until it is interrupted, for clients in any language: the gRPC outputs and
version services of Falco 0.18 to 0.43, on a unix socket in plain text or over mutual TLS.

  --listen ADDRESS         unix:///PATH, or localhost:PORT (port 0: any) with mutual TLS;
                           default: a socket in a fresh temporary folder
  --certs DIR              over TLS: where ca.crt, server.crt, server.key, client.crt and
                           client.key are; made if the folder has none of them.
                           Default: a fresh temporary folder
  --fixture FILE           alerts to serve, as in replay; all are queued before the ready line
                           (a scenario's faults are armed, and count from then on)
  --rate N                 N alerts a second instead, from the ready line on
  --loop                   the fixture again and again; needs --rate
  --falco-version V        the Falco to be, 0.18.0 to 0.43.1
  -c, --config FILE        a falco.yaml (not available yet)

The first line on standard output is "listening on ADDRESS"; all else goes to standard error.
Ctrl-C stops it as SIGTERM stops Falco, but waits for open calls for a second only.

Exit status: 1 failed while running; 2 bad arguments or bad input; 130 interrupted.

Examples:
  deno task fake --listen unix:///tmp/falco.sock --fixture alerts.jsonl
  deno task fake --listen localhost:5060 --certs ./certs --fixture incident.yaml --rate 5 --loop
  grpcurl -plaintext -authority localhost -import-path proto -proto outputs.proto \\
    -unix /tmp/falco.sock falco.outputs.service/get
`;

/** The arguments of `fake`, checked. */
export interface FakeArguments {
  readonly listen: string | undefined;
  readonly certs: string | undefined;
  readonly fixture: string | undefined;
  readonly rate: number | undefined;
  readonly loop: boolean;
  readonly falcoVersion: string | undefined;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `fake`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export function readFakeArguments(args: readonly string[]): FakeArguments | "help" {
  const { values, positionals } = parseOptions(args, {
    config: { type: "string", short: "c" },
    listen: { type: "string" },
    certs: { type: "string" },
    fixture: { type: "string" },
    rate: { type: "string" },
    loop: { type: "boolean" },
    "falco-version": { type: "string" },
  });
  if (values["help"]) return "help";
  if (positionals.length > 0) {
    throw new UsageError(
      `unexpected argument ${quote(positionals[0]!)}. Alerts are given with --fixture FILE`,
    );
  }
  if (values["config"] !== undefined) {
    throw new UsageError(
      "--config is not available yet: falco.yaml comes with a later version. " +
        "Use --listen and --certs",
    );
  }
  const rate = wholeNumber("rate", values["rate"], 1);
  const fixture = values["fixture"] as string | undefined;
  const loop = values["loop"] === true;
  if (rate !== undefined && fixture === undefined) throw new UsageError("--rate needs --fixture");
  if (loop && (fixture === undefined || rate === undefined)) {
    throw new UsageError(
      "--loop needs --fixture and --rate: without a rate the queue would grow without end",
    );
  }
  if (loop && fixture === "-") throw new UsageError("--loop cannot read standard input again");
  return {
    listen: values["listen"] as string | undefined,
    certs: values["certs"] as string | undefined,
    fixture,
    rate,
    loop,
    falcoVersion: values["falco-version"] as string | undefined,
  };
}
