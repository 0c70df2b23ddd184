/** What both sides' certificates are worth. @module */
import type { X509Certificate } from "node:crypto";
import { checkServerIdentity } from "node:tls";
import type { Address } from "../../lib/transport/address.ts";
import { certificatesIn } from "../../lib/transport/certificate_dates.ts";
import { connectionError } from "../../lib/transport/connection_error.ts";
import { loadCredentials } from "../../lib/transport/credentials.ts";
import type { LoadedCredentials } from "../../lib/transport/credentials.ts";
import { handshake } from "../../lib/transport/handshake.ts";
import type { Handshake, TlsVersion } from "../../lib/transport/handshake.ts";
import { SessionManager } from "../../lib/transport/session_manager.ts";
import { missingCertificates } from "../connection_options.ts";
import { asGiven, fail, ok, skipped, warn } from "./check.ts";
import type { Check, Finding, Findings } from "./check.ts";

const DAY_MS = 86_400_000;
/** Certificates that end sooner than this are worth a warning: time enough to renew them. */
const SOON_MS = 14 * DAY_MS;

type TlsAddress = Extract<Address, { kind: "tls" }>;

/** The client's own files: there, PEM, in date, and belonging together. */
export const checkOwnCertificates: Check = {
  name: "certificates",
  only: "tls",
  needs: ["address"],
  async run(findings) {
    const { connection, address, now } = findings;
    const { ca, cert, key } = connection.tls;
    if (ca === undefined || cert === undefined || key === undefined) {
      return fail(
        `${missingCertificates(connection.tls)} not given`,
        "Over TCP Falco always wants a client certificate: name the files, or --certs DIR",
      );
    }
    let loaded: LoadedCredentials;
    try {
      loaded = await loadCredentials({ ...connection.tls, ca, cert, key }, address!.text);
    } catch (error) {
      const text = (error as Error).message.slice(`Cannot connect to ${address!.text}: `.length);
      const [state = text, ...remedies] = text.split(". ");
      return fail(state, remedies.join(". ") || "Check the files");
    }
    findings.credentials = loaded;
    // Both are there: what cannot be read was refused above.
    const [own] = certificatesIn(loaded.cert);
    const [authority] = certificatesIn(loaded.ca);
    return datesFinding(now, [["the client's", own!], ["the authority's", authority!]]);
  },
};

/** Whether there is TLS, and which versions. */
export const checkTls: Check = {
  name: "tls",
  only: "tls",
  needs: ["listening"],
  async run(findings) {
    const address = findings.address as TlsAddress;
    const { credentials = {}, timeoutMs, signal } = findings;
    const done: Handshake[] = [];
    let refused: unknown;
    for (const version of ["TLSv1.3", "TLSv1.2"] satisfies TlsVersion[]) {
      try {
        done.push(await handshake(address, { version, credentials, timeoutMs, signal }));
      } catch (error) {
        signal.throwIfAborted();
        refused ??= error;
      }
    }
    const [best] = done;
    if (best === undefined) {
      const { message } = connectionError(address, refused, "connecting", {
        given: findings.connection.tls,
      });
      const [state = "", ...remedies] = message
        .slice(`Cannot connect to ${address.text}: `.length).split(". ");
      return fail(state, remedies.join(". "));
    }
    findings.handshake = best;
    const offered = done.map(({ version }) => version!.replace("v", " ")).join(" and ");
    // With TLS 1.2 a server that wants a certificate ends the handshake for want of one.
    const unknown = findings.credentials === undefined && done.length < 2
      ? "; without a client certificate no other version can be tried"
      : "";
    return ok(offered + unknown);
  },
};

/** Whether HTTP/2 is agreed on. */
export const checkAlpn: Check = {
  name: "alpn",
  only: "tls",
  needs: ["tls"],
  run({ handshake }) {
    const { alpn } = handshake!;
    return Promise.resolve(
      alpn === "h2" ? ok("h2") : fail(
        alpn === "" ? "no protocol is agreed on" : `the protocol is ${JSON.stringify(alpn)}`,
        "gRPC needs h2: check that this is the port of grpc.bind_address, with no proxy before it",
      ),
    );
  },
};

/** Whether the server's certificate is for the name. */
export const checkServerName: Check = {
  name: "server-name",
  only: "tls",
  needs: ["tls"],
  run({ address, connection, handshake }) {
    const name = connection.tls.serverName ?? (address as TlsAddress).host;
    const { peer, chain: [own] } = handshake!;
    const listed = own?.subjectAltName ?? `none, subject ${oneLine(own?.subject ?? "unknown")}`;
    if (checkServerIdentity(name, peer) === undefined) {
      return Promise.resolve(ok(`valid for ${name} (SAN: ${listed})`));
    }
    return Promise.resolve(fail(
      `not valid for ${JSON.stringify(name)} (SAN: ${listed})`,
      "Make one that lists the name as subjectAltName, or give a name that it lists with --server-name",
    ));
  },
};

/** Whether the authority that was named has signed it. */
export const checkServerChain: Check = {
  name: "server-chain",
  only: "tls",
  needs: ["tls"],
  run({ connection, credentials, handshake }) {
    const { chain, distrust } = handshake!;
    const issuer = oneLine(chain[0]?.issuer ?? "unknown");
    if (credentials === undefined) return Promise.resolve(skipped(`no --ca to hold it against`));
    // Dates are a check of their own; Deno says of them, too, only that it does not trust.
    const top = chain.at(-1);
    const signed = top !== undefined &&
      certificatesIn(credentials.ca!).some(({ publicKey }) => top.verify(publicKey));
    if (distrust === undefined || signed) return Promise.resolve(ok(`signed by ${issuer}`));
    return Promise.resolve(fail(
      `not signed by the authority in ${connection.tls.ca} (${distrust}, issuer ${issuer})`,
      "Give the authority that signed grpc.cert_chain with --ca",
    ));
  },
};

/** Whether the server's certificates are in date. */
export const checkServerDates: Check = {
  name: "server-dates",
  only: "tls",
  needs: ["tls"],
  run({ handshake, now }) {
    const { chain } = handshake!;
    return Promise.resolve(datesFinding(
      now,
      chain.map((one, index) => [index === 0 ? "the server's" : "its issuer's", one] as const),
    ));
  },
};

/** Whether the server goes on after it has seen the client's certificate. */
export const checkClientCertificate: Check = {
  name: "client-certificate",
  only: "tls",
  needs: ["alpn", "server-name", "server-chain", "server-dates"],
  async run(findings: Findings) {
    const { credentials, timeoutMs, signal } = findings;
    if (credentials === undefined) return skipped("no certificate to show");
    const address = findings.address as TlsAddress;
    const session = new SessionManager(address, {
      tls: asGiven(findings),
      connectTimeoutMs: timeoutMs,
    });
    findings.session = session;
    try {
      await session.session();
      return ok("accepted");
    } catch (error) {
      signal.throwIfAborted();
      return fail(
        `not accepted: the server hung up once it had seen it (${firstLine(error)})`,
        "Have it signed by the authority in Falco's grpc.root_certs, and check its dates",
      );
    }
  },
};

function datesFinding(
  now: number,
  certificates: readonly (readonly [whose: string, certificate: X509Certificate])[],
): Finding {
  let soonest = Infinity;
  for (const [whose, { validFrom, validTo }] of certificates) {
    if (Date.parse(validTo) <= now) {
      return fail(`${whose} has expired on ${day(validTo)}`, "Renew it");
    }
    if (Date.parse(validFrom) > now) {
      return fail(
        `${whose} is not valid before ${day(validFrom)}`,
        "Check the clocks of both machines",
      );
    }
    soonest = Math.min(soonest, Date.parse(validTo));
  }
  const until = `valid until ${day(soonest)}`;
  if (soonest - now > SOON_MS) return ok(until);
  return warn(`${until}, in ${Math.floor((soonest - now) / DAY_MS)} days`, "Renew it");
}

function day(date: string | number): string {
  return new Date(date).toISOString().slice(0, 10);
}

function oneLine(text: string): string {
  return text.replaceAll("\n", ", ");
}

function firstLine(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error)).slice(0, 200);
}
