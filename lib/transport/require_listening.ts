/** Whether Deno lets the program listen. @module */

interface DenoPermissions {
  requestSync(wanted: { name: "net"; host: string }): { state: string };
}

/**
 * Makes sure that the program may listen. On Deno, `listen()` of `node:net` throws where nobody can
 * catch it if it may not; hence the question beforehand. On a terminal Deno asks the user.
 *
 * @param hostname The name or IP address to listen on.
 * @param port The port; 0 for any.
 * @throws {Error} With the name and in the words of Deno's own, if Deno was not given that permission.
 * Never on other runtimes.
 */
export function requireListening(hostname: string, port: number): void {
  const { Deno } = globalThis as { Deno?: { permissions?: DenoPermissions } };
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if ((Deno?.permissions?.requestSync({ name: "net", host }).state ?? "granted") === "granted") {
    return;
  }
  const flag = `--allow-net=${host}`;
  const error = new Error(`Requires net access to "${host}", run again with the ${flag} flag`);
  error.name = "NotCapable";
  throw error;
}
