/** A fake Falco for a command. @module */
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Certificates } from "../harness/certificates.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { FalcoError } from "../lib/errors.ts";
import { UsageError } from "./usage_error.ts";

/** What the user asked for; undefined for what was not. */
export interface StartFakeOptions {
  falcoVersion: string | undefined;
  listen: string | undefined;
  tls: boolean | Certificates | undefined;
  faults?: readonly Fault[] | undefined;
}

/**
 * Starts a fake Falco.
 *
 * @param options What the user asked for.
 * @returns The fake.
 * @throws {UsageError} If it cannot be that Falco, or cannot listen there.
 */
export async function startFake(options: StartFakeOptions): Promise<FakeFalco> {
  const { falcoVersion, listen, tls, faults } = options;
  try {
    return await FakeFalco.start({
      ...(falcoVersion === undefined ? {} : { falcoVersion }),
      ...(listen === undefined ? {} : { listen }),
      ...(tls === undefined ? {} : { tls }),
      ...(faults === undefined ? {} : { faults }),
    });
  } catch (error) {
    // All that can go wrong here was named on the command line.
    const isUsage = error instanceof FalcoError || error instanceof TypeError ||
      error instanceof RangeError;
    if (!isUsage) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
