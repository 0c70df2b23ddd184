/** `replay`: fixtures, or what comes from a Falco, through a fake Falco and a real client to standard output. @module */
import process from "node:process";
import type { Alert } from "../lib/alert/alert.ts";
import type { Repair } from "../lib/alert/repair.ts";
import { wireLosses } from "../lib/alert/wire_loss.ts";
import { connect } from "../lib/client/connect.ts";
import { systemClock, wait } from "../lib/clock.ts";
import { FalcoError } from "../lib/errors.ts";
import { DEFAULT_FALCO_VERSION, eraOf } from "../harness/era.ts";
import type { Era } from "../harness/era.ts";
import type { FakeFalco } from "../harness/fake_falco.ts";
import type { Fixture } from "../harness/fixtures/fixture.ts";
import { FixtureError } from "../harness/fixtures/fixture.ts";
import { openFixture, scenarioFixture } from "../harness/fixtures/open_fixture.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { untilWhole } from "./first_service.ts";
import { alertFormatter } from "./formats/alert_formatter.ts";
import { harmless } from "./formats/harmless.ts";
import type { CommandContext } from "./command.ts";
import { hasColour } from "./colour.ts";
import { Progress } from "./progress.ts";
import { openSource } from "./open_source.ts";
import type { OpenSource } from "./open_source.ts";
import { readReplayArguments, replayHelp } from "./replay_options.ts";
import type { ReplayArguments } from "./replay_options.ts";
import { replayPipeline } from "./replay_pipeline.ts";
import { startFake } from "./start_fake.ts";
import { ReplaySummary } from "./summary.ts";
import { UsageError } from "./usage_error.ts";

/** How many alerts wait between the fixtures and the server, so that any file plays in flat memory. */
const MAX_QUEUED = 1024;
/** How long other clients may hold the fake open when the replay is over, in milliseconds. */
const STOP_MS = 1500;

/**
 * Runs the command.
 *
 * @param args The arguments after `replay`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status.
 * @throws {UsageError} If an argument is no good.
 * @throws {FixtureError} If a fixture is no good, before anything is printed.
 * @throws {FalcoError} If there is no connection to a source and none to be hoped for, or it cannot
 * listen.
 */
export async function replay(args: readonly string[], context: CommandContext): Promise<number> {
  const options = await readReplayArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help") {
    await stdout.write(replayHelp);
    return 0;
  }
  for (const warning of options.filter?.warnings ?? []) stderr.write(`--filter: ${warning}\n`);
  const progress = new Progress({
    write: (text) => void stderr.write(text),
    clock: systemClock,
    terminal: process.stderr.isTTY === true,
  });
  const leave = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, leave.signal]);
  const source = options.source === undefined ? undefined : await openSource(options.source, {
    signal,
    note(line) {
      progress.end();
      stderr.write(`${harmless(line)}\n`);
    },
  });
  try {
    return await play(options, context, { progress, leave, signal, source });
  } finally {
    await source?.close();
  }
}

/** What a replay is played with. */
interface Playing {
  readonly progress: Progress;
  /** Ends it. */
  readonly leave: AbortController;
  /** That, or Ctrl-C. */
  readonly signal: AbortSignal;
  /** Where alerts come from, if they are no fixtures. */
  readonly source: OpenSource | undefined;
}

async function play(
  options: ReplayArguments,
  { stdout, stderr, interrupt }: CommandContext,
  { progress, leave, signal, source }: Playing,
): Promise<number> {
  const isTerminal = process.stdout.isTTY === true;
  const formatName = options.format ?? (isTerminal ? "pretty" : "json");
  const formatter = alertFormatter(formatName, { colour: isTerminal && hasColour() });
  const fixtures = source === undefined
    ? await openAll(options.fixtures, options.seed)
    : [liveFixture(source)];
  for (const { name, faults = [] } of fixtures) {
    // The same bytes every time is what replay is for, and what a fault takes away is never the same.
    if (faults.length > 0) {
      stderr.write(
        `${name}: its ${faults.length} faults are left out; fake --fixture plays them\n`,
      );
    }
  }
  const checked = await checkAll(fixtures, progress, interrupt.signal);
  const total = checked === undefined ? undefined : checked * options.repeat;

  const summary = new ReplaySummary();
  const startedAt = systemClock.now();
  const falcoVersion = options.falcoVersion ??
    fixtures.find((one) => one.falcoVersion)?.falcoVersion;
  const era = readEra(falcoVersion);
  const isFirst = !era.methods.some((method) => method.endsWith("/sub"));
  const fake = await startFake({
    falcoVersion,
    listen: options.listen,
    tls: options.tls ? true : undefined,
  });
  stdout.onClosed(() => leave.abort(new DOMException("nobody reads", "AbortError")));
  const client = connect(fake.address, { tls: fake.credentials });
  // What this Falco does not send at all is not waited for.
  const sent = { count: 0, isAll: false };
  const feeding = feed(fake, fixtures, options, signal, {
    in(alert) {
      summary.in(alert, wireLosses(alert));
      if (isFirst && era.encode(alert) !== undefined) sent.count++;
    },
    repaired: (repair) => summary.repaired(repair),
  }).finally(() => sent.isAll = true);
  // A broken fixture ends the stream once what came before it has been printed.
  feeding.catch(() => {});
  try {
    const subscription = client.outputs.subscribe({ signal, reconnect: false });
    const alerts = isFirst
      ? untilWhole(subscription, (received) => sent.isAll && received === sent.count)
      : subscription;
    const { stream, dropped } = replayPipeline(alerts, options);
    for await (const item of stream) {
      const batch = Array.isArray(item) ? item as readonly Alert[] : undefined;
      if (batch === undefined) summary.out(item as Alert);
      else summary.batch(batch);
      const wait = stdout.write(
        batch === undefined ? formatter.alert(item as Alert) : formatter.batch(batch),
      );
      if (wait !== undefined) await wait;
      // On a terminal the alerts themselves are the progress; a line between them would be torn.
      if (!isTerminal || formatName === "summary") progress.update(summary.alertsIn, total);
    }
    // The limit was reached, or Falco ended the call: then everything has been fed.
    leave.abort(new DOMException("done", "AbortError"));
    await feeding.catch((error) => {
      if (error === signal.reason) return;
      // Standard input cannot be checked beforehand: with alerts printed it is a failed run.
      if (error instanceof FixtureError && summary.alertsOut > 0) {
        throw new FalcoError(error.message, { cause: error });
      }
      throw error;
    });
    summary.dropped(dropped());
  } catch (error) {
    const isOurs = signal.aborted && error === signal.reason;
    if (!isOurs && !(interrupt.signal.aborted || stdout.closed)) throw error;
  } finally {
    progress.end();
    leave.abort(new DOMException("done", "AbortError"));
    await client.close();
    await Promise.race([fake.stop(), wait(STOP_MS)]);
    await fake[Symbol.asyncDispose]();
  }
  if (formatName === "summary" && interrupt.status === undefined) stdout.write(summary.table());
  await stdout.flush();
  stderr.write(summary.lines({ elapsedMs: systemClock.now() - startedAt }));
  for (const [label, text] of source?.counts(summary.alertsIn).rows ?? []) {
    stderr.write(`${`${label}:`.padEnd(13)}${text}\n`);
  }
  return interrupt.status ?? 0;
}

/** What the Falco to be sends. */
function readEra(falcoVersion: string = DEFAULT_FALCO_VERSION): Era {
  let era: Era;
  try {
    era = eraOf(falcoVersion);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  if (era.methods.length > 0) return era;
  throw new UsageError(
    `Cannot be Falco ${falcoVersion}: 0.44 removed gRPC. Use 0.18.0 to 0.43.1`,
  );
}

async function openAll(
  files: readonly string[],
  seed: number | undefined,
): Promise<Fixture[]> {
  if (files.length === 0) {
    return Object.values(scenarios).map((scenario) => scenarioFixture(scenario, { seed }));
  }
  const fixtures: Fixture[] = [];
  for (const file of files) fixtures.push(await openFixture(file, { seed }));
  return fixtures;
}

/** What comes from a source, once, for as long as it does. */
function liveFixture({ address, alerts }: OpenSource): Fixture {
  return {
    name: address,
    isRepeatable: false,
    async *alerts() {
      yield* alerts;
    },
  };
}

/**
 * Reads every file to its end before the first alert is printed, so that a bad line in it prints
 * nothing at all.
 */
async function checkAll(
  fixtures: readonly Fixture[],
  progress: Progress,
  signal: AbortSignal,
): Promise<number | undefined> {
  let total: number | undefined = 0;
  let count = 0;
  for (const fixture of fixtures) {
    if (!fixture.isRepeatable) {
      total = undefined;
      continue;
    }
    let own = 0;
    for await (const _ of fixture.alerts()) {
      if (signal.aborted) return undefined;
      own++;
      progress.update(++count, undefined, "checked");
    }
    if (own === 0) throw new FixtureError(fixture.name, "it holds no alerts");
    if (total !== undefined) total += own;
  }
  progress.end();
  return total;
}

/** Plays everything into the fake, and stops it in order once the last alert has been handed out. */
async function feed(
  fake: FakeFalco,
  fixtures: readonly Fixture[],
  options: ReplayArguments,
  signal: AbortSignal,
  told: { in(alert: Alert): void; repaired(repair: Repair): void },
): Promise<void> {
  async function* all(): AsyncGenerator<Alert> {
    for (let round = 0; round < options.repeat; round++) {
      for (const fixture of fixtures) {
        if (round > 0 && !fixture.isRepeatable) continue;
        let own = 0;
        for await (const alert of fixture.alerts((repair) => told.repaired(repair))) {
          told.in(alert);
          yield alert;
          own++;
        }
        if (own === 0 && options.source === undefined) {
          throw new FixtureError(fixture.name, "it holds no alerts");
        }
      }
    }
  }
  try {
    await fake.replay(all(), { speed: options.speed, maxQueued: MAX_QUEUED, signal });
  } finally {
    if (!signal.aborted) {
      await fake.drained(signal);
      void fake.stop();
    }
  }
}
