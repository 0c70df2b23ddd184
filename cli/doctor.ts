/** `doctor`: why there is no connection to a Falco, or no alert. @module */
import process from "node:process";
import { systemClock } from "../lib/clock.ts";
import type { Address } from "../lib/transport/address.ts";
import { useColour } from "./colour.ts";
import type { CommandContext } from "./command.ts";
import { doctorHelp, readDoctorArguments } from "./doctor_options.ts";
import { skipped } from "./doctor/check.ts";
import type { Check, CheckResult, CheckState, Findings } from "./doctor/check.ts";
import {
  checkAlpn,
  checkClientCertificate,
  checkOwnCertificates,
  checkServerChain,
  checkServerDates,
  checkServerName,
  checkTls,
} from "./doctor/check_certificates.ts";
import {
  checkEra,
  checkGrpcOutput,
  checkOutputs,
  checkVersion,
  closeFindings,
} from "./doctor/check_falco.ts";
import {
  checkAddress,
  checkListening,
  checkResolve,
  checkSocketFile,
} from "./doctor/check_place.ts";
import { harmless } from "./formats/harmless.ts";

/** How long one attempt to connect may take, in milliseconds: a Falco that is alive needs a few. */
const TIMEOUT_MS = 5000;

/** In the order that they are made and printed in. */
const checks: readonly Check[] = [
  checkAddress,
  checkResolve,
  checkSocketFile,
  checkListening,
  checkOwnCertificates,
  checkTls,
  checkAlpn,
  checkServerName,
  checkServerChain,
  checkServerDates,
  checkClientCertificate,
  checkVersion,
  checkOutputs,
  checkEra,
  checkGrpcOutput,
];

const labels: { readonly [state in CheckState]: string } = {
  ok: "ok",
  warn: "warn",
  fail: "FAIL",
  skipped: "skipped",
};
const colours: { readonly [state in CheckState]: string } = {
  ok: "32",
  warn: "33",
  fail: "1;31",
  skipped: "90",
};
const LABEL_WIDTH = Math.max(...Object.values(labels).map((label) => label.length));
const NAME_WIDTH = Math.max(...checks.map(({ name }) => name.length));

/**
 * Runs the command.
 *
 * @param args The arguments after `doctor`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status: 0 only if all is well.
 * @throws {UsageError} If an argument is no good.
 */
export async function doctor(args: readonly string[], context: CommandContext): Promise<number> {
  const options = await readDoctorArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help") {
    await stdout.write(doctorHelp);
    return 0;
  }
  const colour = useColour(options.color, process.stdout.isTTY === true);
  const results: CheckResult[] = [];
  const findings: Findings = {
    connection: options.connection,
    timeoutMs: TIMEOUT_MS,
    signal: interrupt.signal,
    now: systemClock.now(),
  };
  try {
    for await (const result of examine(findings)) {
      results.push(result);
      if (!options.json) await stdout.write(line(result, colour));
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    return interrupt.status ?? 1;
  }
  const count = (state: CheckState): number =>
    results.filter((result) => result.state === state).length;
  const isWell = count("fail") + count("warn") === 0;
  if (options.json) {
    const address = (findings.address ?? options.connection.address)?.text ?? null;
    await stdout.write(
      `${JSON.stringify({ address, ok: isWell, checks: results })}\n`,
    );
  }
  await stdout.flush();
  stderr.write(
    isWell ? "all is well\n" : `${count("fail")} failed, ${count("warn")} to be looked at\n`,
  );
  return isWell ? 0 : 1;
}

/** Makes one check after the other; what needs one that did not succeed is skipped. */
async function* examine(findings: Findings): AsyncGenerator<CheckResult> {
  const { connection, signal } = findings;
  const states = new Map<string, CheckState>();
  try {
    for (const check of checks) {
      signal.throwIfAborted();
      const kind: Address["kind"] = (findings.address ?? connection.address)?.kind ?? "unix";
      if (check.only !== undefined && check.only !== kind) continue;
      // A check that was not made for this kind of address stands in nobody's way.
      const missing = check.needs?.find((name) => {
        const state = states.get(name);
        return state === "fail" || state === "skipped";
      });
      const finding = missing === undefined
        ? await check.run(findings)
        : skipped(`needs ${missing} to be well`);
      states.set(check.name, finding.state);
      yield { check: check.name, ...finding };
    }
  } finally {
    await closeFindings(findings);
  }
}

function line({ check, state, text, remedy }: CheckResult, colour: boolean): string {
  const label = labels[state];
  const shown = colour ? `\x1b[${colours[state]}m${label}\x1b[0m` : label;
  const rest = remedy === undefined ? text : `${text}. ${remedy}`;
  const padding = " ".repeat(LABEL_WIDTH - label.length);
  return `${shown}${padding}  ${check.padEnd(NAME_WIDTH)}  ${harmless(rest)}\n`;
}
