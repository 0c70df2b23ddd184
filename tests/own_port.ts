/** Ports for servers that leave theirs and come back. @module */
import { createServer } from "node:net";
import type { Server } from "node:net";

/** Below all ports that a system gives to a program that asks for any: Linux begins at 32768. */
const FIRST = 10_000;
const PAIRS = 10_000;

/**
 * Runs a test with a port at which servers can come and go.
 *
 * Any other port is the system's again as soon as a server is killed, and the next program that asks
 * for any may get it: a test beside this one, whose certificates nobody here trusts. Two tests never
 * have the same port: who uses the upper one of two neighbours listens at the lower one all the time.
 */
export async function withOwnPort(run: (port: number) => Promise<void>): Promise<void> {
  for (;;) {
    const lower = FIRST + 2 * Math.floor(Math.random() * PAIRS);
    const claim = await listening(lower);
    if (claim === undefined) continue; // another test's
    try {
      const trial = await listening(lower + 1);
      if (trial === undefined) continue; // somebody else's
      await closed(trial);
      return await run(lower + 1);
    } finally {
      await closed(claim);
    }
  }
}

/**
 * Runs a test with what a fake Falco has to be started with so that another one can be started at
 * the same address.
 */
export async function withPlace(
  wire: { readonly tls: unknown },
  run: (place: { listen?: string }) => Promise<void>,
): Promise<void> {
  if (!wire.tls) return await run({}); // in a folder that nobody else knows
  await withOwnPort((port) => run({ listen: `https://localhost:${port}` }));
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
