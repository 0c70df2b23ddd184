/** Whether there is something at the address: names, files, and who listens. @module */
import { lookup } from "node:dns/promises";
import { stat } from "node:fs/promises";
import { connect, isIP } from "node:net";
import { wait } from "../../lib/clock.ts";
import type { Address } from "../../lib/transport/address.ts";
import { DEFAULT_ADDRESS, parseAddress } from "../../lib/transport/address.ts";
import { connectionError } from "../../lib/transport/connection_error.ts";
import { errorCode } from "../../lib/transport/reported_error.ts";
import { fail, noGrpc, ok } from "./check.ts";
import type { Check, Finding, Findings } from "./check.ts";

/** How long a name may take to resolve, in milliseconds. */
const RESOLVE_MS = 3000;
/** Falco's default before 0.33. */
const OLDER_ADDRESS = "unix:///var/run/falco.sock";

/** Which address it is. */
export const checkAddress: Check = {
  name: "address",
  async run(findings) {
    const { address } = findings.connection;
    if (address !== undefined) {
      findings.address = address;
      return ok(address.text);
    }
    for (const text of [DEFAULT_ADDRESS, OLDER_ADDRESS]) {
      const candidate = parseAddress(text) as Extract<Address, { kind: "unix" }>;
      const there = await stat(candidate.path).then(() => true, ({ code }) => code !== "ENOENT");
      if (!there) continue;
      findings.address = candidate;
      return ok(`${text}, as none was given`);
    }
    return fail(
      `none was given, and there is neither ${DEFAULT_ADDRESS} nor ${OLDER_ADDRESS}`,
      `${noGrpc}. If it listens elsewhere, give grpc.bind_address of its falco.yaml`,
    );
  },
};

/** What is at the path of a socket, and whose it is. */
export const checkSocketFile: Check = {
  name: "socket",
  only: "unix",
  needs: ["address"],
  async run({ address }) {
    const { path } = address as Extract<Address, { kind: "unix" }>;
    try {
      const there = await stat(path);
      const what = `${path}, owner ${there.uid}:${there.gid}, mode ${mode(there.mode)}`;
      if (there.isSocket()) return ok(what);
      return fail(
        `${path} is ${there.isDirectory() ? "a folder" : "no socket"}`,
        there.isDirectory()
          ? "Name the socket in it"
          : "Falco cannot listen there while the file is in its way: remove it, or name the socket",
      );
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === "ENOENT") return fail(`${path}: no such file`, noGrpc);
      if (code === "EACCES") {
        return fail(
          `${path}: permission denied on the way to it`,
          "Run as a user who may enter its folders, or change their mode",
        );
      }
      return fail(`${path}: ${message}`, "Check the path and the permissions");
    }
  },
};

/** What the name stands for. */
export const checkResolve: Check = {
  name: "resolve",
  only: "tls",
  needs: ["address"],
  async run({ address, signal }) {
    const { host } = address as Extract<Address, { kind: "tls" }>;
    if (isIP(host) !== 0) return ok(`${host} is an IP address`);
    const over = new AbortController();
    try {
      // A look-up cannot be cancelled, and resolvers may try for half a minute.
      const found = await Promise.race([
        lookup(host, { all: true }),
        wait(RESOLVE_MS, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
          throw new Error(`no answer in ${RESOLVE_MS} ms`);
        }),
      ]);
      return ok(`${host} is ${found.map((one) => one.address).join(", ")}`);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = error as Error & { code?: string };
      return fail(
        `${host} does not resolve (${code ?? message})`,
        "Check its spelling and the DNS",
      );
    } finally {
      over.abort();
    }
  },
};

/** Whether a process takes connections there. */
export const checkListening: Check = {
  name: "listening",
  needs: ["address", "socket", "resolve"],
  async run(findings) {
    const address = findings.address!;
    try {
      await knock(address, findings);
      return ok("a process takes connections");
    } catch (error) {
      findings.signal.throwIfAborted();
      return refusalFinding(address, error);
    }
  },
};

/**
 * Says why nobody takes a connection.
 *
 * @param address Where to.
 * @param error What the runtime reported.
 * @returns A failure with its remedy.
 */
export function refusalFinding(address: Address, error: unknown): Finding {
  const { reason, message } = connectionError(address, error);
  const text = message.slice(`Cannot connect to ${address.text}: `.length);
  switch (reason) {
    case "refused":
      if (errorCode(error) !== "ECONNREFUSED") return inWords(text);
      return address.kind === "unix"
        ? fail("nobody listens: Falco was killed and left the file behind", `Start it. ${noGrpc}`)
        : fail("nobody listens on this port", noGrpc);
    case "permission":
      return address.kind === "unix" && !/Deno/.test(text)
        ? fail(
          "permission denied",
          "Connecting needs write permission on the socket: run as its owner, or change its mode",
        )
        : fail(text, "Grant it");
    default:
      return inWords(text);
  }
}

function inWords(text: string): Finding {
  const [state = text, ...remedies] = text.split(". ");
  return fail(state, remedies.join(". ") || "Check the address");
}

/** Connects and hangs up; Falco takes no notice of that. */
function knock(address: Address, { timeoutMs, signal }: Findings): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = address.kind === "unix"
      ? connect(address.path)
      : connect({ host: address.host, port: address.port });
    const timer = setTimeout(
      () => settle(new DOMException("no answer", "TimeoutError")),
      timeoutMs,
    );
    const onAbort = () => settle(signal.reason as Error);
    function settle(error?: Error): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (error: Error) => settle(error));
    socket.once("connect", () => settle());
  });
}

function mode(bits: number): string {
  return (bits & 0o7777).toString(8).padStart(4, "0");
}
