/** `contract`: whether something behaves as Falco does. @module */
import { contractBehaviours, runContract } from "../harness/contract/run_contract.ts";
import type { ContractResult } from "../harness/contract/run_contract.ts";
import type { ContractBehaviour } from "../harness/contract/behaviour.ts";
import type { CommandContext } from "./command.ts";
import { contractHelp, readContractArguments } from "./contract_options.ts";
import { harmless } from "./formats/harmless.ts";
import { quote } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Runs the command.
 *
 * @param args The arguments after `contract`.
 * @param context Where to print, and what interrupts.
 * @returns 0 if nothing differs, 1 if something does.
 * @throws {UsageError} If an argument is no good.
 * @throws {FalcoError} If there is no connection, or no Falco at its other end.
 */
export async function contract(args: readonly string[], context: CommandContext): Promise<number> {
  const options = await readContractArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help") {
    await stdout.write(contractHelp);
    return 0;
  }
  const { only, json, address } = options;
  const filter = ({ name, section }: ContractBehaviour): boolean =>
    only === undefined || `${section} ${name}`.toLowerCase().includes(only.toLowerCase());
  const chosen = contractBehaviours.filter(filter);
  if (chosen.length === 0) {
    throw new UsageError(`no behaviour has ${quote(only!)} in its name. See contract --list`);
  }
  if (options.list || address === undefined) {
    await stdout.write(chosen.map((one) => describe(one, json)).join(""));
    return 0;
  }
  if (!options.readOnly) {
    stderr.write("alerts that are in the queue are taken out; --read-only leaves them there\n");
  }
  try {
    const report = await runContract(
      { address, credentials: options.credentials, falcoVersion: options.falcoVersion },
      {
        readOnly: options.readOnly,
        filter,
        signal: interrupt.signal,
        ...(options.threadiness === undefined ? {} : { threadiness: options.threadiness }),
        ...(options.quietMs === undefined ? {} : { quietMs: options.quietMs }),
        ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
        onResult: (result) => void stdout.write(json ? toJson(result) : toLine(result)),
      },
    );
    const { falcoVersion, agrees, differs, notRun } = report;
    stderr.write(
      `Falco ${falcoVersion} at ${report.address}: ${agrees} agree, ${differs} differ, ` +
        `${notRun} not run\n`,
    );
    return differs === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    return interrupt.status ?? 1;
  }
}

function toLine({ behaviour, outcome, detail }: ContractResult): string {
  const said = detail === "" ? "" : ` (${harmless(detail)})`;
  return `${outcome.padEnd(7)}  ${behaviour.section}: ${behaviour.name}${said}\n`;
}

function toJson({ behaviour, outcome, detail }: ContractResult): string {
  const { section, name } = behaviour;
  return `${JSON.stringify({ outcome, section, name, ...(detail === "" ? {} : { detail }) })}\n`;
}

function describe({ section, name, check, source }: ContractBehaviour, json: boolean): string {
  if (json) return `${JSON.stringify({ section, name, check, source })}\n`;
  return `${section}: ${name}\n  looked at: ${check}\n  source: ${source}\n`;
}
