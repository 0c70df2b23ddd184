/** A Falco without a kernel: the real protocol on a real socket. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { FalcoClosedError } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { CallLog, isSubscriber } from "./call_log.ts";
import type { RecordedCall } from "./call_log.ts";
import type { Certificates } from "./certificates.ts";
import { DEFAULT_FALCO_VERSION, eraOf } from "./era.ts";
import type { Era } from "./era.ts";
import { checkVersion } from "./encode_alerts.ts";
import type { EncodedAlerts } from "./encode_alerts.ts";
import { FalcoSetup } from "./falco_config/falco_setup.ts";
import type { FakeFalcoConfigOptions } from "./falco_config/fake_falco_config_options.ts";
import type { FakeOutputs } from "./falco_config/fake_outputs.ts";
import { FakeProcess } from "./fake_process.ts";
import { readThreadiness } from "./fake_falco_options.ts";
import type { FakeFalcoOptions, PlayOptions, ReplayOptions } from "./fake_falco_options.ts";
import type { Fault, FaultRecord } from "./faults/fault.ts";
import { nowhere, placeOf } from "./listen_place.ts";
import type { ListenPlace } from "./listen_place.ts";
import { callsLeftOpen, requireOrder } from "./orderly_end.ts";
import { settle, WAIT_MS, waitUntil } from "./wait_until.ts";
import type { WaitOptions } from "./wait_until.ts";
import type { Violation } from "./violation.ts";
import { Player } from "./player.ts";
import type { Replayable } from "./timeline.ts";

/**
 * A fake Falco for tests: it speaks Falco's gRPC on a real unix socket or over real mutual TLS, and
 * behaves as the real one does, quirks included.
 *
 * - One queue for all clients, without a bound; alerts wait in it until somebody asks.
 * - `sub` is pulled: a request drains the queue, then nothing comes until the next one; response
 *   headers come with the first alert; a half-closed call hangs.
 * - `get` drains the queue and ends.
 * - {@linkcode FakeFalco.stop} waits for open calls, without limit.
 *
 * Use {@linkcode FakeFalco.stop} in a `finally`, or `await using`: disposal kills it, and fails the
 * test if the client left a call open.
 *
 * Deno: `--allow-read --allow-write=/tmp --allow-net`; with TLS `--allow-net=localhost` is enough.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start({ falcoVersion: "0.43.1" });
 * await fake.replay(scenarios.cryptoMiner);
 * const falco = connect(fake.address, { tls: fake.credentials });
 * let criticals = 0;
 * for await (const alert of falco.outputs.get()) if (alert.priority === "critical") criticals++;
 * assert(criticals > 0);
 * assert.equal(fake.queueDepth, 0);
 * await falco.close();
 * await fake.stop();
 * ```
 */
export class FakeFalco implements AsyncDisposable {
  /** The certificates it made or was given; undefined on a unix socket. */
  readonly certificates: Certificates | undefined;
  readonly #era: Era;
  readonly #clock: Clock;
  readonly #process: FakeProcess;
  readonly #log: CallLog;
  readonly #strict: boolean;

  private constructor(era: Era, place: ListenPlace, options: FakeFalcoOptions) {
    const { clock = systemClock, strict = false } = options;
    this.#era = era;
    this.certificates = place.certificates;
    this.#clock = clock;
    this.#strict = strict;
    this.#log = new CallLog(clock, () => this.queueDepth);
    this.#process = new FakeProcess(era, place, options, this.#log);
  }

  /**
   * Starts one.
   *
   * @param options What to be and where; the default is Falco 0.43.1 on a private unix socket.
   * @returns It, once clients can connect.
   * @throws {RangeError} If there is no such Falco.
   * @throws {TypeError} If the address cannot be one, or a fault is none for it.
   * @throws {FalcoError} If it cannot listen there; the system's error is the `cause`. Nor can it with a
   * key that belongs to another certificate than `tls.server.cert`.
   */
  static async start(options: FakeFalcoOptions = {}): Promise<FakeFalco> {
    const era = eraOf(options.falcoVersion ?? DEFAULT_FALCO_VERSION);
    readThreadiness(options.threadiness); // before anything is made that would have to be removed
    const fake = new FakeFalco(era, await placeOf(options), options);
    await fake.#process.start(options);
    return fake;
  }

  /**
   * Starts one as a Falco configuration says: gRPC, and every other output channel of Falco; see
   * {@linkcode FakeFalcoConfigOptions} for an example and the permissions.
   *
   * @param source The path of a `falco.yaml`, or its text: what holds a line break, or a colon and a
   * blank.
   * @param options What is not in the file.
   * @returns It, once clients can connect. If gRPC is off, or cannot listen (which is logged),
   * `address` is empty.
   * @throws {FalcoConfigError} If Falco would refuse the configuration; with line and column.
   * @throws {RangeError} If there is no such Falco.
   * @throws {TypeError} If `syslog` is no address.
   */
  static async fromConfig(
    source: string,
    options: FakeFalcoConfigOptions = {},
  ): Promise<FakeFalco> {
    const { falcoVersion = DEFAULT_FALCO_VERSION, clock = systemClock } = options;
    const fake = new FakeFalco(eraOf(falcoVersion), nowhere, { clock });
    const setup = await FalcoSetup.open(source, options, (alert) => fake.#enqueue(alert));
    await fake.#process.startConfigured(setup);
    return fake;
  }

  /** Where it listens: `unix:///PATH` or `https://localhost:PORT`; what `connect()` takes. */
  get address(): string {
    return this.#process.address;
  }

  /** What a client needs beside the address; undefined on a unix socket, and `connect()` takes that, too. */
  get credentials(): TlsCredentials | undefined {
    if (this.certificates === undefined) return undefined;
    const { ca, client } = this.certificates;
    return { ca, cert: client.cert, key: client.key };
  }

  /** The Falco it takes itself for. */
  get falcoVersion(): string {
    return this.#era.falcoVersion;
  }

  /** How many alerts wait in the queue. */
  get queueDepth(): number {
    return this.#process.queue.depth;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#process.server?.connections ?? 0;
  }

  /** The calls that clients made, oldest first; of more than 1,000 the oldest closed ones are forgotten. */
  get requests(): readonly RecordedCall[] {
    return this.#log.calls;
  }

  /** What the configuration adds to gRPC; undefined without one. */
  get outputs(): FakeOutputs | undefined {
    return this.#process.setup;
  }

  /**
   * What clients did wrong so far, by a real Falco's standards: one entry for each kind, in the order
   * of their first times.
   *
   * @returns The list as it is now; empty if all is well.
   */
  violations(): readonly Violation[] {
    return this.#log.violations;
  }

  /**
   * Waits until a client drains the queue with `sub`, or waits for alerts with `subscribe` of 0.18 to
   * 0.23: until such a call is open, is served, and has sent a request.
   *
   * @param options How long, and what else ends the wait.
   * @returns The call.
   * @throws {FalcoError} If there is none in time; if it is stopped, a {@linkcode FalcoClosedError}.
   */
  async waitForSubscriber(options: WaitOptions = {}): Promise<RecordedCall> {
    const { timeoutMs = WAIT_MS } = options;
    let found: RecordedCall | undefined;
    await waitUntil(() => (found = this.requests.find(isSubscriber)) !== undefined, {
      onEvent: (listener) => this.#log.onEvent(listener),
      signal: this.#process.orGone(options.signal),
      timeoutMs,
      what: "a subscriber",
    });
    return found!;
  }

  /**
   * Waits until nothing more happens by itself: all that was sent has arrived on both sides, and calls
   * come to rest. What clients do later on timers is not waited for; on a {@linkcode FakeClock} that
   * means until it is advanced. Use it instead of sleeping.
   *
   * Each connection is asked for a sign of life (an HTTP/2 PING, which clients answer by themselves);
   * one that does not answer within a second is left alone.
   *
   * @throws {FalcoError} If clients never come to rest.
   */
  async settle(): Promise<void> {
    await settle(() => this.#log.events, () => this.#process.server?.flushed());
  }

  /**
   * Makes it as good as new between two tests: the queue is emptied, closed calls and violations are
   * forgotten. Connections and open calls stay.
   */
  reset(): void {
    this.#process.queue.clear();
    this.#log.clear();
  }

  /** The faults that struck, oldest first; of more than 1,000 the oldest are forgotten. */
  get faults(): readonly FaultRecord[] {
    return this.#process.faults.records;
  }

  /**
   * Lets something go wrong, now or when its trigger says.
   *
   * @param fault The fault.
   * @returns A function that takes it back, if it has not struck for the last time.
   * @throws {TypeError} If it is none, or cannot strike this fake.
   */
  inject(fault: Fault): () => void {
    return this.#process.faults.inject(fault);
  }

  /**
   * Puts alerts into the queue. They go to whoever asks first, now or later. Alerts that this version
   * does not send over gRPC go nowhere: those of source `internal` before 0.27.0, all from 0.44.0 on.
   *
   * @param alerts The alerts, in order.
   * @throws {FalcoClosedError} If it has been stopped.
   */
  push(...alerts: readonly Alert[]): void {
    if (this.#process.ended) {
      throw new FalcoClosedError("Cannot push an alert: this fake Falco has been stopped");
    }
    for (const alert of alerts) {
      const { setup } = this.#process;
      if (setup === undefined) this.#enqueue(alert);
      else setup.push(alert);
    }
  }

  #enqueue(alert: Alert): void {
    const message = this.#era.encode(alert);
    if (message !== undefined) this.#process.queue.push(message);
  }

  /**
   * Puts alerts into the queue that were encoded beforehand: the quick way, for load tests. A call
   * gets them many at a time, so that a cancel loses some more of them than else.
   *
   * @param alerts What {@linkcode encodeAlerts} made. Not copied: it may be pushed again and again.
   * @throws {FalcoClosedError} If it has been stopped.
   * @throws {RangeError} If they are for another version.
   */
  pushEncoded(alerts: EncodedAlerts): void {
    this.push();
    checkVersion(alerts, this.falcoVersion);
    for (const run of alerts.runs) this.#process.queue.pushRun(run);
  }

  /**
   * Puts the alerts of a scenario, or any others, into the queue, one after the other.
   *
   * @param alerts A scenario, or alerts in order; their times are kept as they are.
   * @param options Speed and limits.
   * @returns How many there were, once the last is queued (not: read).
   * @throws {RangeError} If `speed` or `maxQueued` is not above 0.
   * @throws {FalcoClosedError} If it is stopped or killed before all are queued.
   */
  async replay(
    alerts: Replayable,
    options: ReplayOptions = {},
  ): Promise<number> {
    return await this.play(alerts, options).done;
  }

  /**
   * Replays as {@linkcode FakeFalco.replay} does, and hands out what holds and moves it.
   *
   * @param alerts A scenario, whose faults are armed at their times, or alerts in order.
   * @param options Speed, limits, seed, and whether it waits at first.
   * @returns The player; its `done` is what `replay` returns.
   * @throws {RangeError} If an option, or a value of the scenario, is out of range.
   */
  play(alerts: Replayable, options: PlayOptions = {}): Player {
    const target = {
      depth: () => this.#process.queue.depth,
      push: (alert: Alert) => this.push(alert),
      inject: (fault: Fault) => void this.inject(fault),
      whenBelow: (depth: number, signal: AbortSignal) =>
        this.#process.queue.whenBelow(depth, signal),
    };
    const signal = this.#process.orGone(options.signal);
    return new Player(target, alerts, { ...options, signal, clock: this.#clock });
  }

  /**
   * Waits until the queue is empty: every alert has been handed to a call.
   *
   * @param signal Ends the wait.
   * @returns A promise that rejects with `signal.reason` if the signal fires first, and with a
   * {@linkcode FalcoClosedError} if it is stopped or killed first: then the rest is lost.
   */
  drained(signal?: AbortSignal): Promise<void> {
    if (this.#process.queue.depth === 0) return Promise.resolve();
    return this.#process.queue.whenBelow(1, this.#process.orGone(signal));
  }

  /**
   * SIGTERM: no more calls, the socket file is gone, and then it waits for open calls without limit,
   * as Falco does. An idle `sub` ends with its next request. What is left in the queue is lost.
   *
   * @returns A promise that resolves when it is over; the same one if called again.
   */
  stop(): Promise<void> {
    return this.#process.stop();
  }

  /**
   * The end of the event source: a capture that has been read to its end, a plugin that is done. Falco
   * drops what is queued and goes, as at {@linkcode FakeFalco.stop}.
   *
   * @returns As {@linkcode FakeFalco.stop}.
   */
  endSource(): Promise<void> {
    const stopped = this.stop();
    this.#process.queue.clear();
    return stopped;
  }

  /**
   * SIGKILL: connections break in the middle, and the socket file stays behind, until disposal if it
   * is in the private folder.
   *
   * @returns A promise that resolves when nothing is open any more.
   */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /**
   * SIGHUP with `watch_config_files: true`: stops as {@linkcode FakeFalco.stop} does, waiting for
   * open calls, and starts again at the same address. The queue survives; it is in the process.
   *
   * @returns A promise that resolves when clients can connect again, and rejects with a
   * {@linkcode FalcoClosedError} if it has been stopped or killed before or meanwhile; the same one
   * if called again while it waits.
   */
  reload(): Promise<void> {
    return this.#process.reload();
  }

  /**
   * Kills it and removes its private folder.
   *
   * @throws {FalcoError} If clients left calls open: a test that passes should have closed them. Not
   * after {@linkcode FakeFalco.stop}, even one that still waits for them. With the option `strict`
   * also if there were {@linkcode FakeFalco.violations}.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#process.ended
      ? []
      : await callsLeftOpen(this.#process.server?.services, this.#log);
    const violations = this.#strict ? this.violations() : [];
    await this.kill();
    await this.#process.removeFolder();
    requireOrder(open, violations);
  }
}
