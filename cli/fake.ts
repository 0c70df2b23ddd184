/** `fake`: a fake Falco for clients in any language. @module */
import process from "node:process";
import type { Alert } from "../lib/alert/alert.ts";
import { systemClock, wait } from "../lib/clock.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { eraOf } from "../harness/era.ts";
import type { FakeFalco } from "../harness/fake_falco.ts";
import type { Violation } from "../harness/violation.ts";
import type { Fixture } from "../harness/fixtures/fixture.ts";
import { FixtureError } from "../harness/fixtures/fixture.ts";
import { openFixture } from "../harness/fixtures/open_fixture.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { fakeHelp, readFakeArguments } from "./fake_options.ts";
import type { FakeArguments } from "./fake_options.ts";
import type { CommandContext } from "./command.ts";
import { warnOfVersion1 } from "./old_certificates.ts";
import { harmless } from "./formats/harmless.ts";
import { Progress } from "./progress.ts";
import { readCertificates } from "./read_certificates.ts";
import { startConfiguredFake } from "./start_configured_fake.ts";
import type { ConfiguredFake } from "./start_configured_fake.ts";
import { startFake } from "./start_fake.ts";
import { UsageError } from "./usage_error.ts";

/** How long open calls may hold the fake after Ctrl-C, in milliseconds; Falco would wait for ever. */
const STOP_MS = 1000;
/** Likewise with a configuration, whose outputs come to their end first; all within two seconds. */
const CONFIGURED_STOP_MS = 1600;

/**
 * Runs the command.
 *
 * @param args The arguments after `fake`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status, once it was interrupted.
 * @throws {UsageError} If an argument is no good.
 * @throws {FixtureError} If the fixture is no good.
 */
export async function fake(args: readonly string[], context: CommandContext): Promise<number> {
  const options = readFakeArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help") {
    await stdout.write(fakeHelp);
    return 0;
  }
  const fixture = options.fixture === undefined ? undefined : await openFixture(options.fixture);
  let folder: TempFolder | undefined;
  let falco: FakeFalco | undefined;
  let configured: ConfiguredFake | undefined;
  try {
    const falcoVersion = options.falcoVersion ?? fixture?.falcoVersion;
    const faults = fixture?.faults ?? [];
    if (options.config !== undefined) {
      const { config } = options;
      configured = await startConfiguredFake(config, { ...options, falcoVersion }, context);
      falco = configured.falco;
      for (const fault of faults) falco.inject(fault);
    } else {
      const makeFolder = async () => (folder = await makeTempFolder()).path;
      const tls = await certificatesFor(options, makeFolder);
      const { listen } = options;
      falco = await startFake({ falcoVersion, listen, tls: tls?.certificates, faults });
      if (tls !== undefined) {
        stderr.write(`certificates are in ${tls.folder}\n`);
        stderr.write(warnOfVersion1(tls.certificates.client.cert));
      }
    }
    if (faults.length > 0) {
      stderr.write(`${faults.length} ${faults.length === 1 ? "fault is" : "faults are"} armed\n`);
    }
    if (fixture !== undefined && options.rate === undefined) {
      const count = await queueAll(falco, fixture, context);
      // With a configuration they may have gone elsewhere, or nowhere.
      const [one, many] = configured === undefined
        ? ["alert is queued", "alerts are queued"]
        : ["alert was raised", "alerts were raised"];
      stderr.write(`${count} ${count === 1 ? one : many}\n`);
    }
    await stdout.write(`${readyLine(falco)}\n`);
    await stdout.flush();
    await configured?.release();
    if (fixture !== undefined && options.rate !== undefined) {
      await pushAtRate(falco, fixture, options, interrupt.signal);
    }
    await untilAborted(interrupt.signal);
    return statusOf(falco, options, interrupt.status ?? 0);
  } catch (error) {
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    return statusOf(falco, options, interrupt.status ?? 1);
  } finally {
    if (falco !== undefined) {
      const struck = falco.faults.map(({ fault }) => fault.type);
      if (struck.length > 0) stderr.write(`faults that struck: ${struck.join(", ")}\n`);
      for (const violation of falco.violations()) stderr.write(describe(violation));
      const stopMs = configured === undefined ? STOP_MS : CONFIGURED_STOP_MS;
      await Promise.race([falco.stop(), wait(stopMs)]);
      await falco[Symbol.asyncDispose]();
    }
    configured?.dispose();
    await folder?.remove();
  }
}

/** Ended in order, unless it is strict and a client was not in order. */
function statusOf(
  falco: FakeFalco | undefined,
  { strict }: FakeArguments,
  status: number,
): number {
  return strict && falco !== undefined && falco.violations().length > 0 ? 1 : status;
}

function describe({ message, fact, count }: Violation): string {
  const times = count === 1 ? "" : ` (${count} times)`;
  return `${harmless(message)}${times}. ${fact}\n`;
}

/** Where it listens; a Falco from 0.44 on, or one whose configuration says so, does nowhere. */
function readyLine({ address, falcoVersion }: FakeFalco): string {
  const isServed = address !== "" && eraOf(falcoVersion).methods.length > 0;
  return isServed ? `listening on ${address}` : "running without gRPC";
}

/** Certificates that are there, or new ones, if it is to listen over TLS. */
async function certificatesFor(
  options: FakeArguments,
  makeFolder: () => Promise<string>,
): Promise<{ folder: string; certificates: Certificates } | undefined> {
  const { listen, certs } = options;
  let address: ReturnType<typeof parseAddress> | undefined;
  try {
    address = listen === undefined ? undefined : parseAddress(listen, { listening: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const isTls = address === undefined ? process.platform === "win32" : address.kind === "tls";
  if (!isTls) {
    if (certs === undefined) return undefined;
    throw new UsageError("--certs is for TLS. Listen over TCP with --listen localhost:PORT");
  }
  const present = certs === undefined ? undefined : await readCertificates(certs);
  if (certs !== undefined && present !== undefined) return { folder: certs, certificates: present };
  const host = address?.kind === "tls" ? address.host : "localhost";
  const names = new Set(["localhost", "127.0.0.1", "::1", host]);
  const certificates = await makeCertificates({ names: [...names] });
  const folder = certs ?? await makeFolder();
  try {
    await writeCertificates(folder, certificates);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  return { folder, certificates };
}

async function queueAll(
  falco: FakeFalco,
  fixture: Fixture,
  { stderr, interrupt }: CommandContext,
): Promise<number> {
  const progress = new Progress({
    write: (text) => void stderr.write(text),
    clock: systemClock,
    terminal: process.stderr.isTTY === true,
  });
  async function* counted(): AsyncGenerator<Alert> {
    let count = 0;
    for await (const alert of fixture.alerts()) {
      yield alert;
      progress.update(++count, undefined, "queued");
    }
  }
  try {
    const count = await falco.replay(counted(), { signal: interrupt.signal });
    if (count === 0) throw new FixtureError(fixture.name, "it holds no alerts");
    return count;
  } finally {
    progress.end();
  }
}

/** On the machine's clock, so that the rate holds whatever a single wait takes too long. */
async function pushAtRate(
  falco: FakeFalco,
  fixture: Fixture,
  options: FakeArguments,
  signal: AbortSignal,
): Promise<void> {
  const { rate = 1, loop } = options;
  const startedAt = systemClock.now();
  let count = 0;
  do {
    const before = count;
    for await (const alert of fixture.alerts()) {
      const dueMs = startedAt + count * 1000 / rate - systemClock.now();
      if (dueMs > 0) await wait(dueMs, { signal });
      signal.throwIfAborted();
      falco.push(alert);
      count++;
    }
    if (count === before) throw new FixtureError(fixture.name, "it holds no alerts");
  } while (loop);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // Without gRPC nothing else keeps the process alive; Node does not count listening for signals.
    const alive = setInterval(() => {}, 2 ** 30);
    const done = () => {
      clearInterval(alive);
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
  });
}
