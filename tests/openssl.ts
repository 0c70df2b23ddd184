/** The program openssl, where it is installed, and the recipe of Falco's documentation for it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificates } from "../harness/certificates.ts";

/** Why a test that needs it is skipped; false if it is there. */
export const skipWithoutOpenssl: string | false = spawnSync("openssl", ["version"]).status === 0
  ? false
  : "openssl is not installed";

/** Runs it, in a folder. */
export function openssl(
  cwd: string,
  args: readonly string[],
): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync("openssl", args, { cwd, encoding: "utf8" });
  return { status, text: stdout + stderr };
}

/**
 * Makes certificates as Falco's documentation says, word for word but for the length of the keys (4096
 * there, which takes ten times as long): an authority, and a server's and a client's of X.509 version
 * 1, without subject alternative names.
 */
export function followRecipe(folder: string): Certificates {
  const pass = ["-passin", "pass:1234"];
  const genrsa = ["genrsa", "-passout", "pass:1234", "-aes128", "-out"];
  const subject = (unit: string, name: string) =>
    `/C=SP/ST=Italy/L=Ornavasso/O=Test/OU=${unit}/CN=${name}`;
  const run = (...args: string[]) => {
    const { status, text } = openssl(folder, args);
    assert.equal(status, 0, `openssl ${args.join(" ")}: ${text}`);
  };
  run(...genrsa, "ca.key", "2048");
  const ca = ["-new", "-x509", "-days", "365", "-key", "ca.key", "-out", "ca.crt"];
  run("req", ...pass, ...ca, "-subj", subject("Test", "Root CA"));
  for (const [side, unit] of [["server", "Server"], ["client", "Client"]] as const) {
    run(...genrsa, `${side}.key`, "2048");
    const csr = ["-new", "-key", `${side}.key`, "-out", `${side}.csr`];
    run("req", ...pass, ...csr, "-subj", subject(unit, "localhost"));
    const signed = ["-req", "-days", "365", "-in", `${side}.csr`, "-set_serial", "01"];
    const by = ["-CA", "ca.crt", "-CAkey", "ca.key"];
    run("x509", ...pass, ...signed, ...by, "-out", `${side}.crt`);
    run("rsa", ...pass, "-in", `${side}.key`, "-out", `${side}.key`);
  }
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return {
    ca: read("ca.crt"),
    server: { cert: read("server.crt"), key: read("server.key") },
    client: { cert: read("client.crt"), key: read("client.key") },
  };
}
