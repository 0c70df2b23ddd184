/** Clients of other makes against the gateway, under load. @module */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import type { ReadyClient } from "./clients.ts";

/** How many clients of other makes there are; the third is this package's own. */
const OTHERS = 2;

/**
 * Posts alerts to a gateway that clients of other makes read from, along with this package's own: each
 * must get all of them, in order; then, with delivery `shared`, each alert must go to one of them.
 *
 * @param root The top of the tree.
 * @param ready The clients; the first two are taken.
 * @param count How many alerts.
 * @returns Whether all was well, each time.
 */
export async function tryGateway(
  root: string,
  ready: readonly ReadyClient[],
  count: number,
): Promise<boolean> {
  const deno = [process.execPath, "run", "--quiet", `--config=${join(root, "deno.json")}`, "-A"];
  const named = ready.slice(0, OTHERS)
    .flatMap(({ command }) => ["--client", `${command.join(" ")} outputs-watch`]);
  let isWell = true;
  for (const delivery of ["fanout", "shared"]) {
    console.log(`\ndelivery ${delivery}, ${count} alerts`);
    const gateway = [...deno, join(root, "cli", "main.ts")].join(" ");
    const args = ["--count", String(count), "--delivery", delivery, "--gateway", gateway];
    const [program, ...flags] = [...deno, join(root, "bench", "gateway_load.ts")];
    const child = spawn(program!, [...flags, ...args, ...named], { stdio: "inherit" });
    const status = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    if (status !== 0) isWell = false;
  }
  return isWell;
}
