/** `doctor` on each thing that can be wrong, word for word; that it takes nothing is in cli_doctor_test.ts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  argumentsFor,
  noGrpc,
  pattern,
  runTroubled,
  testTroubles,
  withoutServices,
} from "./connect_troubles.ts";
import { runCli } from "./run_cli.ts";
import type { Finished } from "./run_cli.ts";

function assertDoctor({ status, stdout, stderr }: Finished, expected: RegExp): void {
  assert.equal(status, 1, stderr);
  const { ok, checks } = JSON.parse(stdout);
  assert.equal(ok, false);
  const lines: string[] = checks
    .filter(({ state }: { state: string }) => state === "fail")
    .map((one: { check: string; text: string; remedy: string }) =>
      `${one.check}: ${one.text}. ${one.remedy}`
    );
  assert.match(lines[0] ?? stdout, expected);
}

describe("doctor says in words what is wrong if", () => {
  testTroubles(async (one, where) => {
    const args = ["doctor", "--json", ...argumentsFor(where)];
    assertDoctor(await runTroubled(one, args), pattern(one.doctor, where));
  });

  it("the server has no alerts to give", async () => {
    await withoutServices(async (address) => {
      const expected = `outputs: it offers no alerts: both services are unknown to it. ${noGrpc}`;
      assertDoctor(await runCli(["doctor", "--json", address]), pattern(expected, { address }));
    });
  });
});
