/** Opens one HTTP/2 connection. @module */
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectSocket, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Address } from "./address.ts";
import { certificateDates } from "./certificate_dates.ts";
import { checkServerName } from "./check_server_name.ts";
import { connectTcp, tcpFirst } from "./connect_tcp.ts";
import { connectionError, NO_HTTP2 } from "./connection_error.ts";
import type { ConnectionPhase } from "./connection_error.ts";
import { loadCredentials } from "./credentials.ts";
import type { LoadedCredentials, TlsCredentials } from "./credentials.ts";
import { notASocket } from "./not_a_socket.ts";
import type { NamedOptions } from "./option_names.ts";
import { serverDates } from "./server_dates.ts";
import { requirePathFits } from "./socket_path.ts";

/** A connection, from its first packet on. */
export interface OpeningSession {
  /** The connection, usable once `ready` has resolved. */
  readonly session: ClientHttp2Session;
  /** What it runs on. */
  readonly socket: Socket;
  /**
   * Resolves when it is open.
   *
   * @throws {FalcoConnectError} If it cannot be opened in time; nothing is left of it then.
   */
  readonly ready: Promise<void>;
}

/** What is needed to open a connection. */
export interface OpenSessionOptions {
  /** Certificates, as they are in the files now. */
  readonly loaded: Partial<LoadedCredentials>;
  /** The options that they came in, for messages. */
  readonly given?: NamedOptions | undefined;
  /** Whether they were good before, and may just be renewed. */
  readonly renewable?: boolean;
  /** Aborted when it took too long; its reason becomes the cause of the error. */
  readonly late: AbortSignal;
  /** When that is, in milliseconds. */
  readonly endMs: number;
  /** Time for the moment above. */
  readonly clock: Clock;
  /** Ends what looks into a failure. */
  readonly signal: AbortSignal;
  /** For TLS to run on; without it the address is connected to. */
  readonly tcp?: Socket | undefined;
}

/**
 * Opens what TLS runs on, where the runtime wants that done first: see `tcpFirst`.
 *
 * @param address Where to.
 * @param options As for {@linkcode openSession}; the signal ends the attempt.
 * @returns The connection; undefined where there is no need for one.
 * @throws {FalcoConnectError} If there is none to be had in time.
 */
export async function openTcp(
  address: Address,
  options: Omit<OpenSessionOptions, "tcp">,
): Promise<Socket | undefined> {
  if (address.kind !== "tls" || !tcpFirst) return undefined;
  const { loaded, given, renewable, late, signal } = options;
  try {
    return await connectTcp(address, [late, signal]);
  } catch (error) {
    const side = { serverName: loaded.servername, given, renewable };
    throw connectionError(address, error, "connecting", side);
  }
}

/**
 * Begins to open a connection.
 *
 * @param address Where to.
 * @param options Certificates and limits.
 * @returns The connection and when it is open: the server's SETTINGS have come; over TLS also a PING
 * was answered, because with TLS 1.3 a refused client certificate shows only after the client
 * believes to be connected. No other PING is ever sent: Falco ends connections for them.
 * @throws {FalcoConnectError} If the runtime refuses at once, or a path is too long.
 */
export function openSession(address: Address, options: OpenSessionOptions): OpeningSession {
  requirePathFits(address);
  const { loaded, given, renewable, late, endMs, clock, signal, tcp } = options;
  let socket: Socket;
  let session: ClientHttp2Session;
  try {
    socket = openSocket(address, loaded, tcp);
    session = connectHttp2(originOf(address), {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
  } catch (error) {
    // A key that is too weak; on Deno a permission that was not granted.
    tcp?.destroy();
    const side = { serverName: loaded.servername, given, renewable };
    throw connectionError(address, error, "connecting", side);
  }
  let phase: ConnectionPhase = "connecting";
  let lastError: unknown;
  socket.once("secureConnect", () => {
    phase = "secured";
    const { alpnProtocol } = socket as TLSSocket;
    if (alpnProtocol === "h2") return;
    // Otherwise it would answer something else, or nothing until the time limit.
    const agreed = typeof alpnProtocol === "string" ? alpnProtocol : "none";
    lastError = Object.assign(new Error(`ALPN protocol: ${agreed}`), { code: NO_HTTP2 });
    session.destroy();
  });
  socket.on("error", () => {}); // the session tells of it, as long as it is there
  // After the connection is open its streams tell their callers; here it must only not be thrown.
  session.on("error", (error: unknown) => lastError ??= error);
  const ready = new Promise<void>((resolve, reject) => {
    const onLate = () => {
      reject(late.reason as Error);
      session.destroy();
    };
    const settle = (action: () => void) => {
      late.removeEventListener("abort", onLate);
      action();
    };
    if (late.aborted) onLate();
    else late.addEventListener("abort", onLate, { once: true });
    session.on("error", (error: unknown) => settle(() => reject(error)));
    session.on("close", () => settle(() => reject(lastError)));
    session.once("remoteSettings", () => {
      if (address.kind === "unix") return settle(resolve);
      verify(session, (error) => settle(() => error === null ? resolve() : reject(error)));
    });
  }).catch(async (error: unknown) => {
    socket.destroy();
    if (!session.destroyed) session.destroy();
    const cause = lastError ?? error;
    const { ca = "", servername } = loaded;
    const timeoutMs = Math.max(endMs - clock.now(), 1);
    throw await notASocket(address, cause) ?? connectionError(address, cause, phase, {
      serverName: servername,
      given,
      renewable,
      // The machine's clock, as in TLS itself.
      dates: certificateDates(loaded, systemClock.now(), given) ??
        await serverDates(address, cause, { ca, servername, timeoutMs, signal, clock }),
    });
  });
  return { session, socket, ready };
}

/**
 * Reads the certificates that an address needs.
 *
 * @param address The address.
 * @param tls Where they are.
 * @param renewable Whether they were good before, and may just be renewed.
 * @returns What is in the files now; nothing for a unix socket.
 * @throws {FalcoConnectError} As `loadCredentials` does.
 */
export async function credentialsFor(
  address: Address,
  tls: TlsCredentials | undefined,
  renewable: boolean,
): Promise<Partial<LoadedCredentials>> {
  if (address.kind === "unix" || tls === undefined) return {};
  return await loadCredentials(tls, address.text, renewable);
}

/**
 * The origin that requests carry.
 *
 * @param address The address.
 * @returns Its origin. On a unix socket any will do for Falco.
 */
export function originOf(address: Address): string {
  return address.kind === "unix" ? "http://localhost" : new URL(address.text).origin;
}

function openSocket(
  address: Address,
  loaded: Partial<LoadedCredentials>,
  tcp: Socket | undefined,
): Socket {
  if (address.kind === "unix") return connectSocket(address.path);
  const { host, port } = address;
  // An IP address is no name to ask for.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const check = isIP(host) === 6 ? { checkServerIdentity: checkServerName } : {};
  const below = tcp === undefined ? {} : { socket: tcp };
  return connectTls({ host, port, ALPNProtocols: ["h2"], ...below, ...name, ...check, ...loaded });
}

/** A PING; on Deno the call itself throws if the session is gone already. */
function verify(session: ClientHttp2Session, done: (error: Error | null) => void): void {
  try {
    session.ping((error) => done(error));
  } catch (error) {
    done(error as Error);
  }
}
