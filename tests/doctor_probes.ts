/** Runs of `doctor`, and servers for it to look at, that its tests share. @module */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { after, before } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { runCli } from "./run_cli.ts";

/** What it prints with `--json`. */
export interface Report {
  readonly address: string;
  readonly ok: boolean;
  readonly checks: readonly {
    readonly check: string;
    readonly state: string;
    readonly text: string;
    readonly remedy?: string;
  }[];
}

/** A folder, while the tests of a file run that has called {@linkcode useCertificates}. */
export let folder: TempFolder;
/** What is in its folder `certs`. */
export let certificates: Certificates;

/** Makes both before the tests of the file that calls it, and removes the folder after them. */
export function useCertificates(): void {
  before(async () => {
    folder = await makeTempFolder();
    certificates = await makeCertificates();
    await writeCertificates(join(folder.path, "certs"), certificates);
  });
  after(() => folder.remove());
}

/** Runs it with `--json`, and checks what holds for every report. */
export async function diagnose(...args: readonly string[]): Promise<Report> {
  const { status, stdout, stderr } = await runCli(["doctor", "--json", ...args]);
  assert.equal(stdout.split("\n").length, 2, stderr);
  const report = JSON.parse(stdout) as Report;
  assert.equal(report.ok, status === 0);
  assert.deepEqual(Object.keys(report), ["address", "ok", "checks"]);
  for (const { check, state, text, remedy } of report.checks) {
    assert.match(state, /^(ok|warn|fail|skipped)$/, check);
    assert.doesNotMatch(text, /\n|\.$|undefined/, check);
    if (state === "fail" || state === "warn") assert.match(remedy ?? "", /^[A-Z"].*[^.]$/, check);
  }
  return report;
}

/** The state of each check. */
export function stateOf({ checks }: Report): Record<string, string> {
  return Object.fromEntries(checks.map(({ check, state }) => [check, state]));
}

/** The one check that failed, as a line. */
export function failure(report: Report): string {
  const failed = report.checks.filter(({ state }) => state === "fail");
  assert.equal(failed.length, 1, JSON.stringify(report.checks, null, 1));
  assert.equal(report.ok, false);
  const [{ check, text, remedy }] = failed as [Report["checks"][number]];
  return `${check}: ${text}. ${remedy}`;
}

/** Runs a fake Falco. */
export async function withFake(
  options: Parameters<typeof FakeFalco.start>[0],
  run: (fake: FakeFalco) => Promise<void>,
): Promise<void> {
  const fake = await FakeFalco.start(options);
  try {
    await run(fake);
  } finally {
    await fake.stop();
  }
}

/** Lets a server listen on a free port. */
export async function withServer(
  server: Server,
  run: (port: number) => Promise<void>,
): Promise<void> {
  server.listen(0, "localhost");
  await once(server, "listening");
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}
