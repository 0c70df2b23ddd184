/** What goes wrong in TLS, in words a user can act on. @module */
import { quoteOption } from "./option_names.ts";
import type { NamedOptions } from "./option_names.ts";
import { errorMessage } from "./reported_error.ts";

/** The code of an error that means: the other side does not speak TLS. */
export const NO_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";

/** What the caller knows of TLS. */
export interface TlsSide {
  /** The name that Falco's certificate must carry, if it is not the host. */
  readonly serverName?: string | undefined;
  /** What is wrong with the dates of a certificate, and the remedy. */
  readonly dates?: string | undefined;
  /** Whether there had been a connection, with certificates in files, which may just be renewed. */
  readonly renewable?: boolean | undefined;
  /** The options that the client's certificates came in, for messages. */
  readonly given?: NamedOptions | undefined;
}

/**
 * Says why TLS was not agreed on, and the remedy.
 *
 * @param name The name that Falco's certificate must carry.
 * @param code The code that was reported.
 * @param cause What was reported.
 * @param side What the caller knows.
 * @returns Sentences.
 */
export function describeTls(
  name: string,
  code: string,
  cause: unknown,
  { dates, given }: TlsSide,
): string {
  const detail = errorMessage(cause);
  const quote = (option: string): string => quoteOption(given, option);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || /altnames|NotValidForName/i.test(detail)) {
    return `Falco's certificate is not valid for the name ${JSON.stringify(name)}. ` +
      `Make one that lists it as subjectAltName, or set ${quote("serverName")} to a name that it ` +
      "lists";
  }
  if (code === NO_TLS) {
    return `the other side does not speak TLS (${detail}). ` +
      "Check that this is the port of grpc.bind_address";
  }
  if (dates !== undefined) return dates;
  if (/alert:?[ _]certificate[ _]?expired/i.test(`${code} ${detail}`)) {
    return `Falco takes the certificate in ${quote("cert")} for expired (${detail}). ` +
      "Check the clocks of both machines";
  }
  if (/expired/i.test(code + detail)) {
    return `Falco's certificate has expired (${detail}). ` +
      "Renew it in grpc.cert_chain and restart Falco, which reads it only when it starts";
  }
  if (/not[ _]yet[ _]valid|NotValidYet/i.test(code + detail)) {
    return `Falco's certificate is not valid yet (${detail}). Check the clocks of both machines`;
  }
  if (/SELF_SIGNED|VERIFY_LEAF|GET_ISSUER|UnknownIssuer|unknown ca\b/i.test(code + " " + detail)) {
    return `Falco's certificate is not signed by the authority in ${quote("ca")} (${detail}). ` +
      "Pass the authority that signed grpc.cert_chain, and check that neither has expired";
  }
  return `TLS failed (${detail}). Check that ${quote("cert")} is signed by the authority in ` +
    `Falco's grpc.root_certs, that ${quote("key")} belongs to it, and that this is the port of ` +
    "grpc.bind_address";
}
