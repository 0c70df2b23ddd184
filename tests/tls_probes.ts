/** Certificates that do not fit, and what comes of them, for the client tests of TLS. @module */
import assert from "node:assert/strict";
import { makeCertificates } from "../harness/certificates.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { rejection } from "./client_probes.ts";
import { outcome } from "./stream_probes.ts";

/** Certificates of another authority than those of all servers of the client tests. */
export const others = await makeCertificates();

/** Each call must fail in the same way, a subscription at once if waiting cannot help. */
export async function assertFails(
  address: string,
  tls: TlsCredentials,
  message: RegExp,
  expected: { passing?: boolean; reason?: FalcoConnectReason } = {},
): Promise<void> {
  const { passing = false, reason = "tls" } = expected;
  const falco = connect(address, { tls });
  try {
    const errors = [
      await rejection(falco.version()),
      (await outcome(falco.outputs.get())).error,
      (await outcome(falco.outputs.subscribe(passing ? { reconnect: false } : {}))).error,
    ];
    for (const error of errors) {
      assert(error instanceof FalcoConnectError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.equal(error.passing, passing, error.message);
      assert.equal(error.address, address);
      assert(error.message.startsWith(`Cannot connect to ${address}: `), error.message);
      assert.match(error.message, message);
      assert(!error.message.includes("\n"));
    }
  } finally {
    await falco.close();
  }
}
