/** The process that a fake Falco pretends to be: it starts, stops, is killed, and starts again. @module */
import type { Clock } from "../lib/clock.ts";
import { systemClock, wait } from "../lib/clock.ts";
import { FalcoClosedError, FalcoError } from "../lib/errors.ts";
import { MemoryAlertQueue } from "../lib/server/alert_queue.ts";
import { FalcoServer } from "../lib/server/falco_server.ts";
import type { ListenAddress } from "../lib/server/falco_server.ts";
import type { ServerEvent } from "../lib/server/server_event.ts";
import type { CallLog } from "./call_log.ts";
import type { Era } from "./era.ts";
import { readThreadiness } from "./fake_falco_options.ts";
import type { FakeFalcoOptions } from "./fake_falco_options.ts";
import type { FalcoSetup } from "./falco_config/falco_setup.ts";
import { reachable } from "./falco_config/grpc_place.ts";
import { FaultDesk } from "./faults/fault_desk.ts";
import { againAt, reasonOf, silentAddress } from "./listen_place.ts";
import type { ListenPlace } from "./listen_place.ts";

/** The life of one fake: its queue, its server, and what strikes them. */
export class FakeProcess {
  /** What waits for clients. */
  readonly queue = new MemoryAlertQueue();
  /** What goes wrong. */
  readonly faults: FaultDesk;
  readonly #era: Era;
  readonly #place: ListenPlace;
  readonly #clock: Clock;
  #threadiness: number;
  readonly #oneAlertPerFrame: boolean;
  readonly #log: CallLog;
  #setup: FalcoSetup | undefined;
  #server: FalcoServer | undefined;
  /** The server that the log has been told to stop. */
  #leaving: FalcoServer | undefined;
  #address = "";
  #ended: Promise<void> | undefined;
  #reloading: Promise<void> | undefined;
  /** Ends what waits for clients once no more will come. */
  readonly #gone = new AbortController();

  /**
   * @param era What to be.
   * @param place Where.
   * @param options As {@linkcode FakeFalco.start} got them.
   * @param log Hears of everything.
   */
  constructor(era: Era, place: ListenPlace, options: FakeFalcoOptions, log: CallLog) {
    const { clock = systemClock } = options;
    this.#era = era;
    this.#place = place;
    this.#clock = clock;
    this.#threadiness = readThreadiness(options.threadiness);
    this.#oneAlertPerFrame = options.oneAlertPerFrame ?? false;
    this.#log = log;
    this.faults = new FaultDesk({
      address: () => this.address,
      server: () => this.#server,
      restart: (downMs) => this.#crash(downMs),
    }, clock);
  }

  /**
   * Starts.
   *
   * @param options The first faults.
   * @throws {TypeError} If a fault cannot strike here.
   * @throws {FalcoError} If it cannot listen.
   */
  async start({ faults = [] }: FakeFalcoOptions): Promise<void> {
    await this.#open();
    const { wire, shown } = this.#place;
    try {
      const inFront = wire && this.#server !== undefined;
      await this.faults.start(
        faults,
        inFront ? { target: this.#address, listen: shown } : undefined,
      );
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Starts as a falco.yaml says.
   *
   * @param setup What it says, and the channels that it opened.
   * @throws {FalcoConfigError} If the folder of the socket cannot be made: the one reason not to be able
   * to listen that Falco does not run on with.
   */
  async startConfigured(setup: FalcoSetup): Promise<void> {
    this.#setup = setup;
    if (this.#era.makesFolders) {
      try {
        await setup.makeFolders();
      } catch (error) {
        setup.kill();
        throw error;
      }
    }
    await this.#openConfigured(setup);
  }

  /** Listens as the configuration says; if that fails, Falco logs it and runs on without gRPC. */
  async #openConfigured(setup: FalcoSetup): Promise<void> {
    this.#server = undefined;
    this.#address = "";
    this.#threadiness = readThreadiness(setup.config.grpc?.threadiness);
    const listen = setup.listen();
    if (listen === undefined) return;
    try {
      await this.#open(listen);
      this.#address = reachable(this.#address);
    } catch (error) {
      setup.grpcFailed((error as Error).message);
    }
  }

  async #open(listen: ListenAddress = this.#place.listen): Promise<void> {
    // From 0.44 on there is no gRPC: nobody listens, and whoever connects is refused.
    if (this.#era.methods.length === 0) {
      this.#address = await silentAddress(listen);
      return;
    }
    const { versionMessage, methods } = this.#era;
    try {
      this.#server = await FalcoServer.listen(
        listen,
        {
          openQueue: () => this.queue,
          versionMessage,
          methods,
          threadiness: this.#threadiness,
          oneMessagePerFrame: this.#oneAlertPerFrame,
          ...this.faults.hooks,
        },
        {
          clock: this.#clock,
          report: this.#recorder(),
          makeFolders: this.#era.makesFolders,
        },
      );
    } catch (cause) {
      await this.#place.folder?.remove();
      throw new FalcoError(`Cannot listen at ${this.#place.shown}: ${reasonOf(cause)}`, { cause });
    }
    this.#address = this.#server.address;
  }

  /** Notes what clients do, and lets Falco's log tell of those that TLS has turned away. */
  #recorder(): (event: ServerEvent) => void {
    const record = this.#log.recorder();
    return (event) => {
      record(event);
      if (event.type !== "handshake-error" || this.#log.killed) return;
      this.#setup?.handshakeFailed(event.failure);
    };
  }

  /** Where clients connect. */
  get address(): string {
    return this.faults.wireAddress ?? this.#address;
  }

  /** What a falco.yaml adds; undefined without one. */
  get setup(): FalcoSetup | undefined {
    return this.#setup;
  }

  /** The server that runs; undefined if it has no gRPC. */
  get server(): FalcoServer | undefined {
    return this.#server;
  }

  /** Whether it was stopped or killed. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * What ends all waiting.
   *
   * @param signal Another reason to end it.
   * @returns A signal that fires with a {@linkcode FalcoClosedError} at the end of the process.
   */
  orGone(signal: AbortSignal | undefined): AbortSignal {
    const gone = this.#gone.signal;
    return signal === undefined ? gone : AbortSignal.any([signal, gone]);
  }

  /** SIGTERM; see {@linkcode FakeFalco.stop}. */
  stop(): Promise<void> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #stop(): Promise<void> {
    this.#leave();
    await this.faults.leave();
    await this.#setup?.stop();
    await this.#stopServer();
    // A reload that was under way may have opened one more.
    await this.#reloading?.catch(() => {});
    await this.#stopServer();
    this.#setup?.close();
    await this.faults.close();
    await this.#place.folder?.remove();
  }

  /** Stops the server that runs, of which Falco's log tells once. */
  async #stopServer(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const setup = this.#leaving === server ? undefined : this.#setup;
    this.#leaving = server;
    setup?.grpcStopping();
    await server.stop();
    // Who was killed meanwhile says nothing any more.
    if (!this.#log.killed) setup?.grpcStopped();
  }

  /** SIGKILL; see {@linkcode FakeFalco.kill}. */
  async kill(): Promise<void> {
    const killed = this.#kill();
    this.#ended ??= killed;
    await killed;
  }

  async #kill(): Promise<void> {
    this.#leave();
    this.#log.killed = true;
    this.#setup?.kill();
    await Promise.all([this.#server?.kill(), this.faults.close()]);
    await this.#reloading?.catch(() => {});
    await this.#server?.kill();
  }

  #leave(): void {
    const error = new FalcoClosedError("Cannot wait for clients: this fake Falco has been stopped");
    this.#gone.abort(error);
    this.faults.clear();
  }

  /** SIGHUP; see {@linkcode FakeFalco.reload}. */
  reload(): Promise<void> {
    return this.#reloading ?? this.#while(this.#reload());
  }

  async #reload(): Promise<void> {
    if (this.#ended === undefined) {
      if (this.#setup !== undefined && !await this.#setup.restart()) return;
      await this.faults.leave();
      await this.#stopServer();
      if (this.#ended === undefined) await this.#openAgain();
    }
    if (this.#ended !== undefined) {
      throw new FalcoClosedError("Cannot reload: this fake Falco has been stopped");
    }
  }

  /** Remembers that it is between two servers. */
  #while(reloading: Promise<void>): Promise<void> {
    const own = reloading.finally(() => {
      if (this.#reloading === own) this.#reloading = undefined;
    });
    this.#reloading = own;
    // Whoever kills a fake that is waiting for its clients need not ask what became of the reload.
    own.catch(() => {});
    return own;
  }

  async #openAgain(): Promise<void> {
    if (this.#setup === undefined) await this.#open(againAt(this.#place.listen, this.#address));
    else {
      this.#setup.startAgain();
      await this.#openConfigured(this.#setup);
      this.#setup.resume();
    }
    await this.faults.open();
  }

  /** The process is killed, and its queue with it; another one starts. */
  #crash(downMs: number): number {
    const lost = this.queue.depth;
    this.queue.clear();
    const before = this.#reloading;
    const server = this.#server;
    void this.#while((async () => {
      await Promise.all([server?.kill(), this.faults.refuse()]);
      await before?.catch(() => {});
      // What was under way has opened another one, which this strikes as well.
      await this.#server?.kill();
      if (downMs > 0) await wait(downMs, { clock: this.#clock, signal: this.#gone.signal });
      if (this.#ended === undefined) await this.#openAgain();
    })());
    return lost;
  }

  /**
   * Removes the private folder.
   *
   * @returns A promise that resolves when it is gone.
   */
  async removeFolder(): Promise<void> {
    await this.#place.folder?.remove();
  }
}
