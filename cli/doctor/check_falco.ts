/** Whether it is a Falco, which, and what it offers. @module */
import { connect } from "../../lib/client/connect.ts";
import { FalcoConnectError, FalcoRpcError } from "../../lib/errors.ts";
import { SessionManager } from "../../lib/transport/session_manager.ts";
import { wait } from "../../lib/clock.ts";
import { asGiven, fail, noGrpc, ok, skipped, warn } from "./check.ts";
import type { Check, Findings } from "./check.ts";

/** gRPC's UNIMPLEMENTED. */
const UNIMPLEMENTED = 12;
/**
 * How long a call may stay without an answer before it counts as taken, in milliseconds. A server
 * refuses an unknown method at once.
 */
const TAKEN_MS = 300;

const methods = {
  "falco.outputs.service": "sub",
  "falco.output.service": "subscribe",
} as const;

/** What Falco says of itself. */
export const checkVersion: Check = {
  name: "version",
  needs: ["listening", "client-certificate"],
  async run(findings) {
    const { address, timeoutMs, signal } = findings;
    const client = connect(address!.text, { connectTimeoutMs: timeoutMs, tls: asGiven(findings) });
    try {
      const version = findings.version = await client.version({ signal, timeoutMs });
      const engine = version.engineVersion === "" ? "" : `, engine ${version.engineVersion}`;
      return ok(`Falco ${version.version}${engine}`);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FalcoRpcError && error.status === UNIMPLEMENTED) {
        return warn("it has no version service", "Falco before 0.20 had none: upgrade it");
      }
      if (!(error instanceof FalcoConnectError || error instanceof FalcoRpcError)) throw error;
      const [state = "", ...remedies] = error.message.split(". ");
      return fail(state, remedies.join(". ") || "Check that this is grpc.bind_address of a Falco");
    } finally {
      await client.close();
    }
  },
};

/**
 * Whether there is a service to get alerts from.
 *
 * A call is opened and no request sent on it: Falco takes nothing out of its queue until the first one
 * comes, but refuses an unknown method at once.
 */
export const checkOutputs: Check = {
  name: "outputs",
  needs: ["version"],
  async run(findings) {
    const session = findings.session ??= new SessionManager(findings.address!, {
      connectTimeoutMs: findings.timeoutMs,
    });
    try {
      for (const [service, method] of Object.entries(methods)) {
        const status = await statusWithoutRequest(session, `${service}/${method}`, findings.signal);
        if (status === UNIMPLEMENTED) continue;
        if (status !== undefined) {
          return fail(`${service}/${method} answers with status ${status}`, "Look at Falco's log");
        }
        findings.service = service;
        return ok(`${service}/${method} takes calls`);
      }
    } catch (error) {
      findings.signal.throwIfAborted();
      if (!(error instanceof FalcoConnectError)) throw error;
      return fail(error.message, "Run doctor again");
    }
    return fail("it offers no alerts: both services are unknown to it", noGrpc);
  },
};

/** Which form of the protocol it speaks. */
export const checkEra: Check = {
  name: "era",
  needs: ["outputs"],
  run({ version, service }) {
    if (service === "falco.output.service") {
      return Promise.resolve(ok("0.18 to 0.23: the first service, without tags and hostname"));
    }
    const minor = version?.minor ?? 0;
    if (minor >= 31) return Promise.resolve(ok("0.31 to 0.43: alerts with tags and named source"));
    return Promise.resolve(ok(
      `0.24 to 0.30: alerts with their source as a number${minor < 30 ? ", without tags" : ""}`,
    ));
  },
};

/** What nobody can tell from outside. */
export const checkGrpcOutput: Check = {
  name: "grpc-output",
  needs: ["outputs"],
  run: () =>
    Promise.resolve(skipped(
      "whether grpc_output is on shows only in alerts, and asking would take them out of the queue",
      "If tail prints nothing, set grpc_output.enabled to true in falco.yaml, beside grpc.enabled, and " +
        "close other clients: Falco lets a call wait without a word while all its slots are taken",
    )),
};

/** Resolves with the status that a call without any request gets; undefined if it gets none. */
async function statusWithoutRequest(
  session: SessionManager,
  method: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const stream = await session.request({
    ":method": "POST",
    ":path": `/${method}`,
    "content-type": "application/grpc+proto",
    "te": "trailers",
    "user-agent": "falco-streams",
  }, { endStream: false });
  const done = new AbortController();
  try {
    return await new Promise<number | undefined>((resolve, reject) => {
      const onStatus = (headers: { readonly [name: string]: unknown }): void => {
        const status = headers["grpc-status"];
        if (status !== undefined) resolve(Number(status));
      };
      stream.on("response", onStatus);
      stream.on("trailers", onStatus);
      stream.on("error", reject);
      stream.on("close", () => resolve(undefined));
      stream.resume();
      wait(TAKEN_MS, { signal: AbortSignal.any([signal, done.signal]) })
        .then(() => resolve(undefined), reject);
    });
  } finally {
    done.abort();
    stream.close(8); // CANCEL
  }
}

/**
 * Closes what the checks have left open.
 *
 * @param findings What they found.
 * @returns A promise that resolves when it is closed.
 */
export async function closeFindings({ session }: Findings): Promise<void> {
  await session?.close();
}
