/** Where a fake Falco listens. @module */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import type { ListenAddress } from "../lib/server/falco_server.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { makeCertificates } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { checkServerPair } from "./check_server_pair.ts";
import type { FakeFalcoOptions } from "./fake_falco_options.ts";
import { checkFault, isOnWire } from "./faults/fault_rules.ts";
import { makeTempFolder } from "./temp_folder.ts";
import type { TempFolder } from "./temp_folder.ts";

/** A place to listen, and what was made for it. */
export interface ListenPlace {
  /** Where; with a wire, where the server behind it does. */
  readonly listen: ListenAddress;
  /** The address as it was asked for, for people. */
  readonly shown: string;
  /** Whether a wire for faults stands in front. */
  readonly wire: boolean;
  /** The certificates that were made or given; undefined on a unix socket. */
  readonly certificates?: Certificates;
  /** The folder that was made for sockets. */
  readonly folder?: TempFolder;
}

/** The place of a fake whose configuration says where to listen. */
export const nowhere: ListenPlace = {
  listen: { kind: "unix", path: "" },
  shown: "the address of its configuration",
  wire: false,
};

/**
 * Finds out where to listen, and makes the folder or the certificates that this takes.
 *
 * @param options As {@linkcode FakeFalco.start} got them.
 * @returns The place.
 * @throws {TypeError} If there can be no such place, or a fault is none.
 * @throws {FalcoError} If the server's certificate and key cannot be used together.
 */
export async function placeOf(
  options: Pick<FakeFalcoOptions, "listen" | "tls" | "faults" | "wire">,
): Promise<ListenPlace> {
  const { listen, faults = [] } = options;
  for (const fault of faults) checkFault(fault);
  const { wire = faults.some(isOnWire) } = options;
  const asked = listen === undefined ? undefined : parseAddress(listen, { listening: true });
  const defaultTls = asked === undefined ? process.platform === "win32" : asked.kind === "tls";
  const { tls = defaultTls } = options;
  if (asked?.kind === "unix" && tls !== false) {
    throw new TypeError(`Cannot listen at ${asked.text} with TLS: Falco has none on unix sockets`);
  }
  if (asked?.kind === "tls" && tls === false) {
    throw new TypeError(`Cannot listen at ${asked.text} without TLS: Falco has no plain TCP`);
  }
  if (tls === false) {
    if (asked?.kind === "unix" && !wire) {
      return { listen: { kind: "unix", path: asked.path }, shown: asked.text, wire };
    }
    const folder = await makeTempFolder();
    const path = asked?.kind === "unix" ? asked.path : `${folder.path}/falco.sock`;
    const behind = wire ? `${folder.path}/behind.sock` : path;
    return { listen: { kind: "unix", path: behind }, shown: `unix://${path}`, wire, folder };
  }
  if (tls !== true && faults.some(({ type }) => type === "certificate")) {
    throw new TypeError(
      'Cannot inject the fault "certificate": it has certificates of its own making only with ' +
        "{ tls: true }",
    );
  }
  const { host, port } = asked?.kind === "tls" ? asked : { host: "localhost", port: 0 };
  const names = [...new Set(["localhost", "127.0.0.1", "::1", host])];
  const broken = faults.flatMap((fault) => fault.type === "certificate" ? [fault.is] : []);
  const certificates = tls === true ? await makeCertificates({ names, broken }) : tls;
  const shown = asked?.text ?? `https://${host}:${port}`;
  if (certificates === tls) checkServerPair(certificates, shown);
  const { ca, server } = certificates;
  const credentials = { ca, cert: server.cert, key: server.key };
  return {
    listen: { kind: "tls", host, port: wire ? 0 : port, credentials },
    shown,
    wire,
    certificates,
  };
}

/**
 * Where to listen once more.
 *
 * @param listen Where it listened.
 * @param address What came of that.
 * @returns The same place: the same port, where the first time it could have been any.
 */
export function againAt(listen: ListenAddress, address: string): ListenAddress {
  const parsed = parseAddress(address);
  return listen.kind === "tls" && parsed.kind === "tls" ? { ...listen, port: parsed.port } : listen;
}

/**
 * The address of a Falco that does not listen.
 *
 * @param listen Where it would.
 * @returns An address at which nobody answers: for port 0 a port that was free a moment ago.
 */
export async function silentAddress(listen: ListenAddress): Promise<string> {
  if (listen.kind === "unix") return `unix://${listen.path}`;
  let { port } = listen;
  const host = listen.host === "localhost" ? "127.0.0.1" : listen.host;
  if (port === 0) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, resolve);
    });
    port = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
  }
  return `https://${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${port}`;
}

/**
 * Says in words why listening failed.
 *
 * @param cause The error of the system.
 */
export function reasonOf(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  switch (code) {
    case "EADDRINUSE":
      return "the address is in use";
    case "ENAMETOOLONG":
      return "the path is too long for a socket, which has room for about 100 bytes";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOENT":
      return "the folder of the socket is missing; Falco makes it since 0.33.0";
    case "ENOTDIR":
    case "EEXIST":
      return "the folder of the socket cannot be made";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this host has no such address";
    default:
      return message ?? String(cause);
  }
}
