/** `syslog_output`, and `log_syslog`. @module */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { priorities } from "../../lib/alert/priority.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";
import { formatSyslogTime } from "./local_time.ts";

/** The facility `user`, times eight. */
const USER = 8;
/** What `logger` calls the severities. */
const words = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
/** The name of the program's binary, which glibc puts in front. */
const TAG = "falco";

/** Where syslog messages go. */
export type SyslogTarget =
  | { readonly kind: "udp"; readonly host: string; readonly port: number }
  | { readonly kind: "logger" };

/**
 * Reads where syslog messages shall go.
 *
 * @param text `udp://HOST:PORT` (port 514 if there is none), or `logger` for the machine's own syslog.
 * @returns The target.
 * @throws {TypeError} If it is neither.
 */
export function parseSyslogTarget(text: string): SyslogTarget {
  if (text === "logger") return { kind: "logger" };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "udp:" || url.hostname === "" || !/^\/?$/.test(url.pathname)) {
    throw new TypeError(
      `Cannot send syslog messages to ${JSON.stringify(text)}: it is no such address. ` +
        'Write udp://HOST:PORT, or "logger" for the syslog of this machine',
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { kind: "udp", host, port: url.port === "" ? 514 : Number(url.port) };
}

/**
 * Sends syslog messages as glibc does: `<PRI>Mon dd HH:MM:SS falco: text`, a datagram each, facility
 * `user`, no host and no pid.
 *
 * Falco sends them to `/dev/log`, a kind of socket that JavaScript runtimes do not offer. So they go
 * over UDP, byte by byte the same, or through `logger`, which makes datagrams of its own of them.
 */
export class SyslogSender {
  readonly #target: SyslogTarget;
  readonly #clock: Clock;
  #socket: Socket | undefined;

  /**
   * @param target Where to.
   * @param clock The time.
   */
  constructor(target: SyslogTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /**
   * Sends a message.
   *
   * @param severity Syslog's number, 0 (emergency) to 7 (debug).
   * @param text The text.
   * @returns Whether it was sent; not whether it arrived, which nobody knows. Never rejects.
   */
  async send(severity: number, text: string): Promise<boolean> {
    return this.#target.kind === "udp"
      ? await this.#sendDatagram(this.#target, severity, text)
      : await runLogger(severity, text);
  }

  #sendDatagram(
    { host, port }: { host: string; port: number },
    severity: number,
    text: string,
  ): Promise<boolean> {
    const head = `<${USER + severity}>${formatSyslogTime(this.#clock.now())} ${TAG}: `;
    const socket = this.#socket ??= openSocket(host);
    return new Promise((resolve) => {
      socket.send(Buffer.from(head + text), port, host, (error) => resolve(error === null));
    });
  }

  /** Lets go of the socket. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** Sends alerts to syslog: PRI is 8 + Falco's number of the priority. */
export class SyslogOutput implements AlertOutput {
  readonly name = "syslog";
  readonly #sender: SyslogSender;
  #lost = 0;

  /** @param sender Sends the messages. */
  constructor(sender: SyslogSender) {
    this.#sender = sender;
  }

  /** @inheritdoc */
  get lost(): number {
    return this.#lost;
  }

  /** @inheritdoc */
  async write({ alert, line }: OutputMessage): Promise<void> {
    // A datagram that is too long is lost without a word, in Falco as well.
    if (!await this.#sender.send(priorities.indexOf(alert.priority), line)) this.#lost++;
  }

  /** @inheritdoc */
  close(): void {
    this.#sender.close();
  }

  /** @inheritdoc */
  kill(): void {
    this.#sender.close();
  }
}

function openSocket(host: string): Socket {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  socket.on("error", () => {}); // `send` is told
  return socket;
}

/** Through a shell, so that one permission on Deno (`--allow-run=/bin/sh`) is enough. */
function runLogger(severity: number, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(
      "/bin/sh",
      ["-c", 'exec logger -t "$1" -p "$2" -- "$3"', "sh", TAG, `user.${words[severity]}`, text],
      { stdio: "ignore" },
    );
    child.once("error", () => resolve(false));
    child.once("close", (status) => resolve(status === 0));
  });
}
