/** A TLS handshake, to look at what the server shows. @module */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { ConnectionOptions, DetailedPeerCertificate } from "node:tls";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Address } from "./address.ts";
import type { LoadedCredentials } from "./credentials.ts";

/** A version of TLS that Falco may offer. Falco 0.43.1 refuses those before. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What a handshake showed. */
export interface Handshake {
  /** The version that was asked for. */
  readonly version: TlsVersion | undefined;
  /** The protocol that was agreed on, such as `h2`; empty if none was. */
  readonly alpn: string;
  /** The certificate of the server and those above it that are known. */
  readonly chain: readonly X509Certificate[];
  /** The server's certificate, for `tls.checkServerIdentity`. */
  readonly peer: DetailedPeerCertificate;
  /** Why the certificate is not trusted; undefined if it is. Whether it fits the name is not in it. */
  readonly distrust: string | undefined;
}

/** Options of {@linkcode handshake}. */
export interface HandshakeOptions {
  /** The only version to offer; by default both are. */
  readonly version?: TlsVersion;
  /** What to show and to trust. */
  readonly credentials: Partial<LoadedCredentials>;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Time for the limit. Default the machine's. */
  readonly clock?: Clock;
}

/**
 * Makes a handshake, and hangs up without a byte of data.
 *
 * A certificate that is not trusted does not end it: it is what is to be seen. Nothing secret is
 * sent, the client's key only signs.
 *
 * @param address Where to.
 * @param options The version of TLS, and the certificates.
 * @returns What the server showed.
 * @throws {Error} If there is no handshake, with the code of the runtime.
 */
export function handshake(
  address: Extract<Address, { kind: "tls" }>,
  options: HandshakeOptions,
): Promise<Handshake> {
  const { version, credentials, timeoutMs, signal, clock = systemClock } = options;
  const { host, port } = address;
  const name = credentials.servername ?? (isIP(host) === 0 ? host : undefined);
  const how: ConnectionOptions = {
    host,
    port,
    ALPNProtocols: ["h2"],
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
    rejectUnauthorized: false,
    // Looked at by itself, so that both problems show if there are two.
    checkServerIdentity: () => undefined,
    ...credentials,
    ...(name === undefined ? {} : { servername: name }),
  };
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(how);
    const cancelTimer = clock.setTimer(
      () => settle(new DOMException("no answer", "TimeoutError")),
      timeoutMs,
    );
    const onAbort = () => settle(signal.reason as Error);
    function settle(result: Handshake | Error): void {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (error: Error) => settle(error));
    socket.on("close", () => settle(new Error("the server closed the connection")));
    socket.once("secureConnect", () => {
      const peer = socket.getPeerCertificate(true);
      const { authorized, alpnProtocol } = socket;
      const error = socket.authorizationError as Error & { code?: string } | string | null;
      const code = typeof error === "string" ? error : error?.code ?? error?.message;
      settle({
        version,
        alpn: typeof alpnProtocol === "string" ? alpnProtocol : "",
        chain: chainOf(peer),
        peer,
        distrust: authorized ? undefined : code ?? "unknown reason",
      });
    });
  });
}

function chainOf(peer: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  // The one at the top is its own issuer.
  for (let one: DetailedPeerCertificate | undefined = peer; one?.raw !== undefined;) {
    if (seen.has(one.fingerprint256)) break;
    seen.add(one.fingerprint256);
    const certificate = new X509Certificate(one.raw);
    // The runtimes go by the issuer's name, which may not be the one that signed.
    if (chain.length > 0 && !chain.at(-1)!.verify(certificate.publicKey)) break;
    chain.push(certificate);
    one = one.issuerCertificate;
  }
  return chain;
}
