/** Whether a certificate is for the host that was connected to. @module */
import { X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { PeerCertificate } from "node:tls";

/**
 * Node's own check, and one more for IPv6 addresses: Node 22.23 finds none of them in any
 * certificate, since it makes domain names of them first. Node 24 and 26 do not.
 *
 * @param host The host name or IP address.
 * @param certificate What the server showed.
 * @returns Why the certificate is not for that host; undefined if it is.
 */
export function checkServerName(host: string, certificate: PeerCertificate): Error | undefined {
  const error = checkServerIdentity(host, certificate);
  if (error === undefined || !isIPv6(host)) return error;
  return new X509Certificate(certificate.raw).checkIP(host) === undefined ? error : undefined;
}
