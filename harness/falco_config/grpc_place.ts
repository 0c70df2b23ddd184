/** Where the `grpc` section of a configuration listens. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ListenAddress } from "../../lib/server/falco_server.ts";
import type { FalcoGrpcConfig } from "./falco_config.ts";

/**
 * Makes an address to listen at of a `grpc` section: what begins with `unix://` is a socket in plain
 * text, all else is TCP with mutual TLS.
 *
 * As in Falco a file that cannot be read counts as an empty one: without `root_certs` the server
 * starts, and refuses every client.
 *
 * @param grpc The section.
 * @returns The address, or what Falco says of it if it cannot listen there.
 */
export function grpcPlace(grpc: FalcoGrpcConfig): ListenAddress | string {
  const { bindAddress, certChain, privateKey, rootCerts } = grpc;
  const path = socketPath(grpc);
  if (path !== undefined) return { kind: "unix", path };
  const cert = readText(certChain);
  const key = readText(privateKey);
  const problem = problemOf(cert, key);
  if (problem !== undefined) return problem;
  const [, ipv6, name, digits] =
    /^(?:dns:\/\/\/)?(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(bindAddress) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65535) return `grpc: no address to listen at: ${bindAddress}`;
  return { kind: "tls", host, port, credentials: { ca: readText(rootCerts), cert, key } };
}

/**
 * The path of the socket of a `grpc` section.
 *
 * @param grpc The section.
 * @returns It; undefined if Falco would not listen at a socket in plain text.
 */
export function socketPath({ bindAddress }: FalcoGrpcConfig): string | undefined {
  const path = /^unix:\/\/(\/.*[^/])$/s.exec(bindAddress)?.[1];
  return path?.includes("\0") ? undefined : path;
}

/**
 * The address that clients on this machine connect to.
 *
 * @param address Where a server listens.
 * @returns It, or `localhost` for one that listens everywhere: nobody has a certificate for that.
 */
export function reachable(address: string): string {
  return address.replace(/^https:\/\/(?:0\.0\.0\.0|\[::\]):/, "https://localhost:");
}

/** Not every runtime looks at them before a client comes. */
function problemOf(cert: string, key: string): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    return "grpc: Invalid cert chain file.";
  }
  try {
    if (certificate.checkPrivateKey(createPrivateKey(key))) return undefined;
  } catch {
    // It is none.
  }
  return "grpc: Invalid private key.";
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
