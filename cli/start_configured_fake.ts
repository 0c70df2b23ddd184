/** A fake Falco as a falco.yaml says, for `fake -c`. @module */
import { readFileSync } from "node:fs";
import process from "node:process";
import { FalcoConfigError } from "../harness/falco_config/config_error.ts";
import type { FakeFalcoConfigOptions } from "../harness/falco_config/fake_falco_config_options.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { OutputStats } from "../harness/outputs/configured_outputs.ts";
import { processStdout } from "../harness/outputs/process_streams.ts";
import type { CommandContext } from "./command.ts";
import type { FakeArguments } from "./fake_options.ts";
import { warnOfVersion1 } from "./old_certificates.ts";
import { UsageError } from "./usage_error.ts";

/** A fake that was started, and what a command still has to do with it. */
export interface ConfiguredFake {
  readonly falco: FakeFalco;
  /** Lets go of standard output, which was held back for the ready line. */
  release(): Promise<void>;
  /** Stops listening for signals, and tells of alerts that got lost. */
  dispose(): void;
}

/**
 * Starts a fake Falco as a configuration says; SIGHUP reads it again, SIGUSR1 reopens files.
 *
 * @param config The path of the file.
 * @param options The other arguments.
 * @param context Where to print.
 * @returns The fake.
 * @throws {FalcoConfigError} If Falco would refuse the configuration.
 * @throws {UsageError} If an argument is no good.
 */
export async function startConfiguredFake(
  config: string,
  options: FakeArguments,
  { stderr }: CommandContext,
): Promise<ConfiguredFake> {
  const { write, isTerminal } = processStdout();
  let held: Uint8Array[] | undefined = [];
  const { falcoVersion, syslog, unbuffered } = options;
  // Read here and not in the harness: on Deno each variable takes a permission.
  const hostname = process.env["FALCO_HOSTNAME"] ?? process.env["FALCO_GRPC_HOSTNAME"];
  const settings: FakeFalcoConfigOptions = {
    stdout: (bytes) => held === undefined ? write(bytes) : void held.push(bytes),
    stdoutIsTerminal: isTerminal,
    unbuffered,
    ...(falcoVersion === undefined ? {} : { falcoVersion }),
    ...(syslog === undefined ? {} : { syslog }),
    ...(hostname === undefined ? {} : { hostname }),
  };
  const falco = await start(config, settings);
  const tell = () => {
    const { warnings, withoutEffect, grpc } = falco.outputs!.config;
    const isTls = falco.address.startsWith("https:");
    if (grpc !== undefined && isTls) {
      stderr.write(warnOfVersion1(readFileSync(grpc.certChain, "utf8")));
    }
    for (const { message } of warnings) stderr.write(`${message}\n`);
    if (withoutEffect.length > 0) {
      stderr.write(`${config}: without effect here: ${withoutEffect.join(", ")}\n`);
    }
  };
  tell();
  const handlers = {
    SIGHUP: () => {
      falco.reload().then(tell, (error: Error) => stderr.write(`${error.message}\n`));
    },
    SIGUSR1: () => falco.outputs?.reopen(),
  };
  const signals = process.platform === "win32" ? [] : Object.entries(handlers);
  for (const [name, handler] of signals) process.on(name as NodeJS.Signals, handler);
  return {
    falco,
    async release() {
      const waiting = held ?? [];
      held = undefined;
      for (const bytes of waiting) await write(bytes);
    },
    dispose() {
      for (const [name, handler] of signals) process.off(name, handler);
      const losses = describeLosses(falco.outputs!.stats);
      if (losses !== "") stderr.write(`alerts that did not get out: ${losses}\n`);
    },
  };
}

async function start(config: string, settings: FakeFalcoConfigOptions): Promise<FakeFalco> {
  // A path whatever its name looks like, not the text of a configuration.
  const source = /\n|:\s/.test(config) ? undefined : config;
  if (source === undefined) throw new UsageError("--config takes the path of a file");
  try {
    return await FakeFalco.fromConfig(source, settings);
  } catch (error) {
    const isUsage = error instanceof RangeError || error instanceof TypeError;
    if (!isUsage || error instanceof FalcoConfigError) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function describeLosses({ waiting, dropped, discarded, lost }: OutputStats): string {
  const counts: [string, number][] = [
    ...Object.entries(lost),
    ["still waiting", waiting],
    ["queue full", dropped],
    ["too late", discarded],
  ];
  return counts.filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
