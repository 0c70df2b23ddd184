/** What certificates are to be like, and whether they can be. @module */
import { isIP, isIPv6 } from "node:net";
import type { KeyedCertificate } from "./certificates.ts";

/**
 * How {@linkcode makeCertificates} makes certificates; all of it has a default.
 *
 * @example Certificates, and others later that the same peers trust
 * ```ts
 * import { makeCertificates } from "@falco-streams/core/harness";
 * import type { CertificatesOptions } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const options: CertificatesOptions = { days: 30, keepAuthorityKey: true };
 * const { ca, caKey } = await makeCertificates(options);
 * const renewed = await makeCertificates({ authority: { cert: ca, key: caKey! } });
 * assert.equal(renewed.ca, ca);
 * ```
 */
export interface CertificatesOptions {
  /**
   * What clients may call the server: host names (`*.example.test` too) and IP addresses, at least
   * one. Names with other letters than ASCII are given in their `xn--` form.
   *
   * @default {["localhost", "127.0.0.1", "::1"]} since a fake Falco listens on loopback
   */
  readonly names?: readonly string[];
  /**
   * How many days from `now` the server's and the client's certificates stay valid. Above 0, fractions
   * allowed. The authority's stays valid for ten years, or as long as these if that is longer.
   *
   * @default {365} as in the recipe of Falco's documentation
   */
  readonly days?: number;
  /**
   * The kind of all keys that are made: `ecdsa` on P-256, or `rsa` with 2048 bits.
   *
   * @default {"ecdsa"} or the kind of the `authority` that is given, since all of it then takes about 15 ms; with RSA keys 0.1 to 0.6 s
   */
  readonly algorithm?: "ecdsa" | "rsa";
  /**
   * The present, in milliseconds since 1970-01-01T00:00:00Z. Validity starts one day before it, for
   * machines whose clock is late, and counts in whole seconds.
   *
   * @default {Date.now()}
   */
  readonly now?: number;
  /**
   * The authority that shall issue them: its certificate, and its key in PKCS#8. So certificates are
   * renewed: whoever trusts the authority trusts the new ones. They end with it at the latest.
   *
   * @default a new one each time
   */
  readonly authority?: KeyedCertificate;
  /**
   * Whether the authority's key comes along, as `caKey`, so that it can issue more later.
   *
   * @default {false} since a key that nobody has cannot be stolen
   */
  readonly keepAuthorityKey?: boolean;
  /**
   * What is to be wrong with them, for tests of clients and servers that must refuse them.
   *
   * @default {[]} nothing
   */
  readonly broken?: readonly BrokenCertificate[];
}

/**
 * What can be wrong with certificates.
 *
 * - `expired`, `expired-client`: the server's, the client's ended an hour ago; the authority lives.
 * - `expired-authority`: the authority's own ended an hour ago; those that it issued would live. Deno
 *   does not look at that.
 * - `wrong-name`: the server's is for `falco.example.test` alone.
 * - `other-authority`, `other-authority-client`: the server's, the client's was issued by an authority
 *   of the same name whose certificate nobody has.
 *
 * @example
 * ```ts
 * import type { BrokenCertificate } from "@falco-streams/core/harness";
 * import { makeCertificates } from "@falco-streams/core/harness";
 *
 * const broken: BrokenCertificate[] = ["expired", "wrong-name"];
 * await makeCertificates({ broken });
 * ```
 */
export type BrokenCertificate =
  | "expired"
  | "expired-client"
  | "expired-authority"
  | "wrong-name"
  | "other-authority"
  | "other-authority-client";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long an authority stays valid: it is to outlive what it issues, or nothing could be renewed. */
const AUTHORITY_DAYS = 3650;
const WRONG_NAME = "falco.example.test";
/** The last second that a certificate can name, 9999-12-31T23:59:59Z (RFC 5280, section 4.1.2.5). */
const lastMs = 253_402_300_799_000;
const hostName = /^(?:\*\.)?(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i;

/** The names that a certificate is for. */
export type GeneralNames = readonly { type: "dns" | "ip"; value: string }[];

/** From when to when a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The options, checked. */
export interface CertificatePlan {
  readonly names: GeneralNames;
  readonly keyKind: "ecdsa" | "rsa" | undefined;
  readonly now: number;
  readonly authority: KeyedCertificate | undefined;
  readonly keepAuthorityKey: boolean;
  readonly broken: ReadonlySet<BrokenCertificate>;
  readonly validity: {
    readonly authority: Validity;
    readonly server: Validity;
    readonly client: Validity;
  };
}

/** All that can be wrong. */
export const brokenCertificates: readonly BrokenCertificate[] = [
  "expired",
  "expired-client",
  "expired-authority",
  "wrong-name",
  "other-authority",
  "other-authority-client",
];

/**
 * Checks the options.
 *
 * @param options As {@linkcode makeCertificates} got them.
 * @returns The plan.
 * @throws {TypeError} If an option is of the wrong kind.
 * @throws {RangeError} If one is out of range.
 */
export function planCertificates(options: CertificatesOptions): CertificatePlan {
  const { names = ["localhost", "127.0.0.1", "::1"], days = 365, algorithm } = options;
  const { now = Date.now(), authority, keepAuthorityKey = false } = options;
  const broken = parseBroken(options.broken ?? []);
  if (authority !== undefined && broken.has("expired-authority")) {
    throw new TypeError(
      'Cannot make certificates: option "broken" has "expired-authority", and option "authority" ' +
        "is given. Leave one out",
    );
  }
  const generalNames = parseNames(names);
  const valid = computeValidity(now, days);
  // Not before the authority's own, so that this alone is wrong.
  const over = { notBefore: valid.notBefore, notAfter: new Date(now - hourMs) };
  const endOf = (days: number) => new Date(Math.min(now + days * dayMs, lastMs));
  const ownEnd = endOf(Math.max(days, AUTHORITY_DAYS));
  return {
    names: broken.has("wrong-name") ? [{ type: "dns", value: WRONG_NAME }] : generalNames,
    keyKind: algorithm === undefined ? undefined : parseKind(algorithm),
    now,
    authority,
    keepAuthorityKey,
    broken,
    validity: {
      authority: broken.has("expired-authority") ? over : { ...valid, notAfter: ownEnd },
      server: broken.has("expired") ? over : valid,
      client: broken.has("expired-client") ? over : valid,
    },
  };
}

function parseBroken(kinds: readonly BrokenCertificate[]): ReadonlySet<BrokenCertificate> {
  if (!Array.isArray(kinds)) {
    throw new TypeError(
      `Cannot make certificates: option "broken" is ${show(kinds)}. Give an array`,
    );
  }
  for (const kind of kinds) {
    if (brokenCertificates.includes(kind)) continue;
    throw new TypeError(
      `Cannot make certificates: option "broken" has ${show(kind)}. Give some of ` +
        brokenCertificates.join(", "),
    );
  }
  return new Set(kinds);
}

function parseNames(names: readonly string[]): GeneralNames {
  if (!Array.isArray(names)) {
    throw new TypeError(
      `Cannot make certificates: option "names" is ${
        show(names)
      }. Give an array of host names and IP addresses`,
    );
  }
  if (names.length === 0) {
    throw new RangeError(
      `Cannot make certificates: option "names" is empty. Give at least one host name or IP address`,
    );
  }
  return names.map((name: unknown) => {
    if (typeof name === "string" && isIP(name) !== 0 && !name.includes("%")) {
      // The library reads "::ffff:127.0.0.1" as another address, without a word; URL writes it in hexadecimal.
      const value = isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
      return { type: "ip", value };
    }
    // A last label of digits alone is an IPv4 address gone wrong: clients never look it up as a name.
    if (
      typeof name !== "string" || name.length > 253 || !hostName.test(name) ||
      /(?:^|\.)\d+$/.test(name)
    ) {
      throw new TypeError(
        `Cannot make certificates: option "names" has ${show(name)}. ` +
          "Give host names in ASCII, without port or trailing dot, and IP addresses without brackets or zone",
      );
    }
    return { type: "dns", value: name };
  });
}

function computeValidity(now: number, days: number): Validity {
  if (!(now >= 0 && now <= lastMs)) {
    throw new RangeError(
      `Cannot make certificates: option "now" is ${
        show(now)
      }. Give milliseconds in the years 1970 to 9999`,
    );
  }
  if (!(days > 0 && now + days * dayMs <= lastMs)) {
    throw new RangeError(
      `Cannot make certificates: option "days" is ${
        show(days)
      }. Give a number above 0 that ends before the year 10000`,
    );
  }
  return { notBefore: new Date(now - dayMs), notAfter: new Date(now + days * dayMs) };
}

function parseKind(algorithm: "ecdsa" | "rsa"): "ecdsa" | "rsa" {
  if (algorithm === "ecdsa" || algorithm === "rsa") return algorithm;
  throw new TypeError(
    `Cannot make certificates: option "algorithm" is ${show(algorithm)}. Give "ecdsa" or "rsa"`,
  );
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
