/** Certificates that clients refuse. @module */
import { makeCertificates } from "../certificates.ts";
import type { Certificates } from "../certificates.ts";
import type { Fault } from "./fault.ts";

const DAY_MS = 86_400_000;

/** What the server listens with, and what its clients are given. */
export interface CertificatePair {
  /** For the server. */
  readonly served: Certificates;
  /** For the clients. */
  readonly shown: Certificates;
}

/**
 * Makes certificates, broken as the faults want them.
 *
 * @param names What clients may call the server.
 * @param faults The faults; those of the type `certificate` count.
 * @returns The certificates; both sides' are the same unless they do not know each other's authority.
 */
export async function certificatesFor(
  names: readonly string[],
  faults: readonly Fault[],
): Promise<CertificatePair> {
  const wanted = new Set(
    faults.map((fault) => fault.type === "certificate" ? fault.is : undefined),
  );
  const served = await makeCertificates({
    names: wanted.has("wrong-name") ? ["falco.example.test"] : names,
    // The authority's has expired, too, as when all of them were made on the same day.
    ...(wanted.has("expired") ? { days: 1, now: Date.now() - 30 * DAY_MS } : {}),
  });
  if (!wanted.has("other-authority")) return { served, shown: served };
  const { ca } = await makeCertificates({ names });
  return { served, shown: { ...served, ca } };
}
