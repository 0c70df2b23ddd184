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
                           Default: a fresh temporary folder. Others are made by certs
  --fixture FILE           alerts to serve, as in replay; all are queued before the ready line
                           (a scenario's faults are armed, and count from then on)
  --rate N                 N alerts a second instead, from the ready line on
  --loop                   the fixture again and again; needs --rate
  --falco-version V        the Falco to be, from 0.18.0 on; default 0.43.1, or what the
                           fixture says. From 0.44.0 on there is no gRPC: useful with -c
  --strict                 end with 1 if a client did what a real Falco takes amiss
  -c, --config FILE        a falco.yaml: gRPC and all other outputs as it says; takes the place of
                           --listen and --certs
  -U, --unbuffered         with -c, as Falco's own: standard output, files and programs get each
                           line at once instead of blocks of 4 or 8 KiB
  --syslog udp://HOST:PORT with -c: where syslog messages go; default: the logger of this machine
                           for alerts, nowhere for the log

The first line on standard output is "listening on ADDRESS", or "running without gRPC" if the
configuration or the version says so; all else goes to standard error, but for alerts with stdout_output on.
In the end it says what clients did that a real Falco takes amiss: never asked, asked too fast,
competed for the queue, half-closed, sent PINGs too early and so on.
Ctrl-C stops it as SIGTERM stops Falco, but waits for open calls and slow outputs for little more
than a second. With -c, SIGHUP reads the configuration again and SIGUSR1 reopens files and programs
(under Node it starts Node's debugger as well). Rules are not evaluated: -r is refused.

Exit status: 1 failed while running, or --strict; 2 bad arguments or bad input; 130 interrupted.

Examples:
  deno task fake --listen unix:///tmp/falco.sock --fixture alerts.jsonl
  deno task fake --listen localhost:5060 --certs ./certs --fixture incident.yaml --rate 5 --loop
  deno task fake -c /etc/falco/falco.yaml -U --fixture incident.yaml --rate 5
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
  readonly strict: boolean;
  readonly falcoVersion: string | undefined;
  readonly config: string | undefined;
  readonly unbuffered: boolean;
  readonly syslog: string | undefined;
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
    strict: { type: "boolean" },
    "falco-version": { type: "string" },
    unbuffered: { type: "boolean", short: "U" },
    syslog: { type: "string" },
    rules: { type: "string", short: "r" },
  });
  if (values["help"]) return "help";
  if (positionals.length > 0) {
    throw new UsageError(
      `unexpected argument ${quote(positionals[0]!)}. Alerts are given with --fixture FILE`,
    );
  }
  if (values["rules"] !== undefined) {
    throw new UsageError(
      "rules are not evaluated here, so there is no -r. Give alerts with --fixture FILE",
    );
  }
  const config = values["config"] as string | undefined;
  for (const name of config === undefined ? [] : ["listen", "certs"]) {
    if (values[name] === undefined) continue;
    throw new UsageError(`--${name} cannot be given with --config: change grpc in ${config}`);
  }
  for (const name of config === undefined ? ["unbuffered", "syslog"] : []) {
    if (values[name] !== undefined) throw new UsageError(`--${name} needs --config`);
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
    strict: values["strict"] === true,
    falcoVersion: values["falco-version"] as string | undefined,
    config,
    unbuffered: values["unbuffered"] === true,
    syslog: values["syslog"] as string | undefined,
  };
}
