/** Whether it is the dates of Falco's certificate that TLS stumbled over. @module */
import type { X509Certificate } from "node:crypto";
import { systemClock } from "../clock.ts";
import type { Address } from "./address.ts";
import { certificatesIn, datesOf } from "./certificate_dates.ts";
import { handshake } from "./handshake.ts";
import type { HandshakeOptions } from "./handshake.ts";

/** Node and Bun say it; Deno says of a certificate out of its dates only that it does not verify. */
const DISTRUST: ReadonlySet<unknown> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

/** Options of {@linkcode serverDates}. */
export interface ServerDatesOptions
  extends Pick<HandshakeOptions, "timeoutMs" | "signal" | "clock"> {
  /** The authorities to trust, in PEM. */
  readonly ca: string;
  /** The name to ask for, if it is not the host. */
  readonly servername?: string | undefined;
}

/**
 * Makes another handshake to look at the dates of the certificates that Falco shows, where what the
 * runtime said of a first one leaves that open. The client's certificate is not shown on it.
 *
 * @param address Where Falco is.
 * @param cause What the runtime said of the first.
 * @param options The authorities, and limits.
 * @returns What is wrong and the remedy; undefined if it is not the dates, or that cannot be known. A
 * certificate that none of the authorities has signed is not looked at: anybody can have made it.
 */
export async function serverDates(
  address: Address,
  cause: unknown,
  options: ServerDatesOptions,
): Promise<string | undefined> {
  const { code } = (cause ?? {}) as { code?: unknown };
  if (address.kind !== "tls" || !DISTRUST.has(code)) return undefined;
  const { ca, servername, ...limits } = options;
  let chain: readonly X509Certificate[];
  try {
    const credentials = { ca, ...(servername === undefined ? {} : { servername }) };
    ({ chain } = await handshake(address, { credentials, ...limits }));
  } catch {
    return undefined; // what the runtime said has to do
  }
  const top = chain.at(-1);
  if (top === undefined) return undefined;
  if (!certificatesIn(ca).some(({ publicKey }) => top.verify(publicKey))) return undefined;
  // The machine's clock, as in TLS itself.
  const now = systemClock.now();
  const problems = chain.map((one, index) =>
    datesOf(one, now, {
      whose: index === 0 ? "Falco's certificate" : "the certificate that signed Falco's",
      renew: "Renew it in grpc.cert_chain and restart Falco, which reads it only when it starts",
      clocks: "Check the clocks of both machines",
    })
  );
  return problems.find((one) => one !== undefined);
}
