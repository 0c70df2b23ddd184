/** Where a Falco listens, as users write it. @module */

/** Where Falco listens by default since 0.33. */
export const DEFAULT_ADDRESS = "unix:///run/falco/falco.sock";

/** Where Falco listened by default before 0.33. */
export const OLDER_DEFAULT_ADDRESS = "unix:///var/run/falco.sock";

/** Falco's default port for gRPC over TCP. */
const DEFAULT_PORT = 5060;

/**
 * An address, taken apart.
 *
 * Over TCP Falco speaks TLS with client certificates and nothing else; over a unix socket it speaks
 * in plain text.
 */
export type Address =
  | { readonly kind: "unix"; readonly path: string; readonly text: string }
  | { readonly kind: "tls"; readonly host: string; readonly port: number; readonly text: string };

/** Options of {@linkcode parseAddress}. */
export interface ParseAddressOptions {
  /** Whether it is an address to listen at, where port 0 stands for any free one. */
  listening?: boolean;
}

/**
 * Takes an address apart.
 *
 * @param text `unix:///run/falco/falco.sock`, `unix:/path`, a path that begins with `/`, `./` or
 * `../`, `https://host:port`, `host:port`, `[::1]:port`, or a host alone (port 5060, as in Falco's
 * own configuration).
 * @param options Whether port 0 is allowed.
 * @returns Its parts; `text` is the address in its full form, for messages.
 * @throws {TypeError} If it is none of these; `http:` is refused as Falco has no plain TCP.
 */
export function parseAddress(text: string, options: ParseAddressOptions = {}): Address {
  const fail = (problem: string): never => {
    throw new TypeError(
      `Cannot use the address ${JSON.stringify(text)}: ${problem}. ` +
        `Write unix:///run/falco/falco.sock or https://localhost:5060`,
    );
  };
  if (text.includes("\0")) return fail("it holds a NUL");
  // unix://PATH without a third slash would name a host, if sockets had one.
  const [, long, short] = /^unix:(?:\/\/(\/.*)|(\/(?!\/).*))$/s.exec(text) ?? [];
  const path = long ?? short ?? (/^\.{0,2}\//.test(text) ? text : undefined);
  if (path !== undefined) {
    if (path.endsWith("/")) return fail("a socket is a file, not a folder");
    return { kind: "unix", path, text: `unix://${path}` };
  }
  if (text.startsWith("unix:")) return fail("the path must be absolute");
  if (/^http:/i.test(text)) return fail("over TCP Falco speaks only TLS");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined && scheme.toLowerCase() !== "https") {
    return fail(`the scheme ${JSON.stringify(scheme)} is not known`);
  }
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3).replace(/\/$/, "");
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/i.exec(rest);
  if (match === null) return fail("it is not a host and a port");
  const [, ipv6, name, digits] = match;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  const lowest = options.listening ? 0 : 1;
  if (port < lowest || port > 65535) return fail(`a port is between ${lowest} and 65535`);
  const host = (ipv6 ?? name)!;
  const shown = ipv6 === undefined ? host : `[${host}]`;
  const full = `https://${shown}:${port}`;
  if (!URL.canParse(full)) return fail("it is not a host and a port");
  return { kind: "tls", host, port, text: full };
}
