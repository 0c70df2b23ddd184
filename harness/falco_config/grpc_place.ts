/** Where the `grpc` section of a configuration listens. @module */
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
  const path = /^unix:\/\/(\/.*[^/])$/s.exec(bindAddress)?.[1];
  if (path !== undefined && !path.includes("\0")) return { kind: "unix", path };
  const cert = readText(certChain);
  if (cert === "") return "grpc: Invalid cert chain file.";
  const key = readText(privateKey);
  if (key === "") return "grpc: Invalid private key.";
  const [, ipv6, name, digits] =
    /^(?:dns:\/\/\/)?(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(bindAddress) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65535) return `grpc: no address to listen at: ${bindAddress}`;
  return { kind: "tls", host, port, credentials: { ca: readText(rootCerts), cert, key } };
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

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
