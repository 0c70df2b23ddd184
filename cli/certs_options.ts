/** The arguments of `certs`. @module */
import { brokenCertificates } from "../harness/certificate_options.ts";
import type { BrokenCertificate } from "../harness/certificate_options.ts";
import { oneOf, parseOptions, quote, wholeNumber } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What `certs --help` prints. */
export const certsHelp = `Usage: certs [OPTION...] DIR

Makes what mutual TLS with Falco takes: an authority, and a certificate and a key for the server and
for its clients (X.509 version 3, with SHA-256). DIR is made if it is missing. It gets ca.crt, ca.key,
server.crt, server.key, client.crt and client.key; keys are for their owner only (mode 0600).

  --name NAME              what clients call the server, a host name or an IP address; may be given
                           again. Default: localhost, 127.0.0.1 and ::1
  --days N                 how long the server's and the client's are valid; default 365. The
                           authority's is valid for ten years, or as long as these
  --rsa                    RSA keys of 2048 bits; default: ECDSA on P-256
  --renew                  only a new server's and client's, from the authority in DIR (its ca.key is
                           kept for that) and for the same names: who trusts the old trusts the new
  --force                  all anew, where DIR has some of these files already
  --broken KIND            certificates that a good peer refuses, for tests; may be given again:
                           expired, expired-client (the authority lives), expired-authority,
                           wrong-name (falco.example.test), other-authority and
                           other-authority-client (issued by one that nobody knows)

Standard output: the grpc section of a falco.yaml that uses them; all else goes to standard error.
Copy ca.crt, server.crt and server.key to Falco; ca.crt, client.crt and client.key to its clients;
ca.key to nobody. Falco reads them when it starts: restart it after --renew. These are for tests and
small sites: no key has a pass phrase, and nothing is ever revoked.

Exit status: 0 done; 1 failed while running; 2 bad arguments, or files that are in the way.

Examples:
  deno task certs ./certs
  deno task certs /etc/falco/certs --name falco.example.com --name 10.0.0.7 >> falco.yaml
  deno task certs ./certs --renew --days 90
  deno task certs ./expired --broken expired
`;

/** The arguments of `certs`, checked. */
export interface CertsArguments {
  readonly folder: string;
  readonly names: readonly string[] | undefined;
  readonly days: number | undefined;
  readonly rsa: boolean;
  readonly renew: boolean;
  readonly force: boolean;
  readonly broken: readonly BrokenCertificate[];
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `certs`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export function readCertsArguments(args: readonly string[]): CertsArguments | "help" {
  const { values, lists, positionals } = parseOptions(args, {
    name: { type: "string", multiple: true },
    days: { type: "string" },
    rsa: { type: "boolean" },
    renew: { type: "boolean" },
    force: { type: "boolean" },
    broken: { type: "string", multiple: true },
  });
  if (values["help"]) return "help";
  const [folder, extra] = positionals;
  if (folder === undefined) throw new UsageError("certs needs a folder: certs DIR");
  if (extra !== undefined) {
    throw new UsageError(`unexpected argument ${quote(extra)}. There is one folder: certs DIR`);
  }
  const renew = values["renew"] === true;
  for (const name of renew ? ["force", "rsa"] : []) {
    if (values[name] === undefined) continue;
    throw new UsageError(`--${name} cannot be given with --renew, which keeps the authority`);
  }
  const broken = (lists["broken"] ?? []).map((kind) => oneOf("broken", kind, brokenCertificates)!);
  if (renew && broken.includes("expired-authority")) {
    throw new UsageError("--broken expired-authority needs a new authority, without --renew");
  }
  return {
    folder,
    names: lists["name"],
    days: wholeNumber("days", values["days"], 1),
    rsa: values["rsa"] === true,
    renew,
    force: values["force"] === true,
    broken,
  };
}
