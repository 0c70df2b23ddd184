/** A recording: its files, what stands beside them, and its counts. @module */
import { rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Alert } from "../../lib/alert/alert.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { decodeAlert, encodeAlert } from "../../lib/alert/wire.ts";
import type { FalcoClient } from "../../lib/client/connect.ts";
import type { FalcoVersion } from "../../lib/client/falco_version.ts";
import { systemClock } from "../../lib/clock.ts";
import type { FalcoError } from "../../lib/errors.ts";
import { AlertDigest } from "../alert_digest.ts";
import { harmless } from "../formats/harmless.ts";
import type { LiveAlerts } from "../live_alerts.ts";
import type { RecordArguments } from "../record_options.ts";
import { UsageError } from "../usage_error.ts";
import { writeProvenance } from "./provenance.ts";
import type { RecordingEnd } from "./provenance.ts";
import { RecordFiles } from "./record_files.ts";
import { Redaction } from "./redaction.ts";
import { versionLine, WIRE_ENCODING, wireLine } from "./wire_lines.ts";

/**
 * How long Falco may take to name its version, in milliseconds; without it the recording goes on. Less
 * than the 2 s that a command has to stop in.
 */
const VERSION_MS = 1000;

/** Writes alerts down, and says beside them what they are. */
export class Recording {
  /** What takes private values out; undefined if nothing is to be. */
  readonly redaction: Redaction | undefined;
  readonly #options: RecordArguments;
  readonly #files: RecordFiles;
  readonly #provenancePath: string;
  readonly #digest = new AlertDigest();
  readonly #startedAt = systemClock.now();
  #version: Promise<FalcoVersion | undefined> | undefined;
  #hasHeader = false;
  #alerts = 0;
  #gaps = 0;

  private constructor(options: RecordArguments, files: RecordFiles, provenancePath: string) {
    this.#options = options;
    this.#files = files;
    this.#provenancePath = provenancePath;
    this.redaction = options.redact.length === 0 ? undefined : new Redaction(options.redact);
  }

  /**
   * Creates the files.
   *
   * @param options What was asked for.
   * @param onFailed Learns of a write that failed, at once.
   * @returns The recording, with nothing in it.
   * @throws {UsageError} If there are such files already, or they cannot be made.
   */
  static async create(
    options: RecordArguments,
    onFailed: (error: FalcoError) => void,
  ): Promise<Recording> {
    const { output: path, name, maxBytes, force } = options;
    const provenancePath = `${path}.provenance.json`;
    if (!force && await stat(provenancePath).then(() => true, () => false)) {
      throw new UsageError(
        `${provenancePath}: there is such a file. Name another, or replace it with --force`,
      );
    }
    const files = await RecordFiles.create({ path, name, maxBytes, force, onFailed });
    return new Recording(options, files, provenancePath);
  }

  /** How many alerts have been written. */
  get alerts(): number {
    return this.#alerts;
  }

  /** Learns that there is a connection: with the first one Falco is asked for its version. */
  opened(client: FalcoClient): void {
    void this.#askVersion(client);
  }

  /** Learns that alerts may be missing here. */
  gap(): void {
    this.#gaps++;
  }

  #askVersion(client: FalcoClient | undefined): Promise<FalcoVersion | undefined> {
    this.#version ??= client?.version({ signal: AbortSignal.timeout(VERSION_MS) })
      .catch(() => undefined); // told as `"falco": null`
    return this.#version ?? Promise.resolve(undefined);
  }

  /**
   * Tells whoever finds the files how they come about, before there is anything in them.
   *
   * @param live Where the alerts come from.
   */
  begin(live: LiveAlerts): Promise<void> {
    return this.#describe(live, "running", undefined);
  }

  /**
   * Writes an alert.
   *
   * @param alert The alert.
   * @param live Where it comes from.
   * @returns A promise if the caller should wait before the next one.
   * @throws {FalcoError} If the disk is full, or gone.
   */
  write(alert: Alert, live: LiveAlerts): void | Promise<void> {
    if (!this.#hasHeader) return this.#addHeader(live).then(() => this.write(alert, live));
    const json = formatAlert(alert);
    // A replay goes over gRPC, where numbers are text: the digest is of what comes out there.
    const isAsReplayed = live.client !== undefined;
    this.#digest.add(isAsReplayed ? json : formatAlert(decodeAlert(encodeAlert(alert))));
    this.#alerts++;
    return this.#files.write(this.#options.name.form === "wire" ? wireLine(alert) : json);
  }

  /** With the first alert there is a connection, and Falco is there to be asked. */
  async #addHeader(live: LiveAlerts): Promise<void> {
    this.#hasHeader = true;
    const version = await this.#askVersion(live.client);
    if (version === undefined || this.#options.name.form !== "wire") return;
    this.#files.header(versionLine(version));
  }

  /**
   * Closes the files and describes them; those of a failure before the first alert are removed, so that
   * the next attempt finds its place free.
   *
   * @param live Where the alerts came from.
   * @param end Why it is over.
   * @param error What it failed with, if it did.
   * @throws {FalcoError} If not all could be written; that is in the description as well.
   */
  async close(live: LiveAlerts, end: RecordingEnd, error: unknown): Promise<void> {
    if (end === "failed" && this.#alerts === 0) {
      await this.discard();
      throw error;
    }
    const version = await this.#version;
    if (!this.#hasHeader && version !== undefined && this.#options.name.form === "wire") {
      this.#files.header(versionLine(version));
    }
    let failure = error;
    try {
      await this.#files.close();
    } catch (cause) {
      failure ??= cause;
    }
    await this.#describe(live, failure === undefined ? end : "failed", failure);
    if (failure !== undefined) throw failure;
  }

  /** Removes the files. */
  async discard(): Promise<void> {
    await this.#files.discard();
    await rm(this.#provenancePath, { force: true });
  }

  async #describe(live: LiveAlerts, end: RecordingEnd, error: unknown): Promise<void> {
    const { name, live: { minPriority }, filterText, redact } = this.#options;
    await writeProvenance(this.#provenancePath, {
      version: 1,
      recorder: "falco-streams record",
      form: name.form,
      ...(name.form === "wire" ? { encoding: WIRE_ENCODING } : {}),
      address: live.address,
      falco: await this.#version ?? null,
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: end === "running" ? null : new Date(systemClock.now()).toISOString(),
      end,
      ...(error === undefined
        ? {}
        : { error: error instanceof Error ? error.message : `${error}` }),
      minPriority: minPriority ?? null,
      filter: filterText ?? null,
      redacted: redact,
      alerts: this.#alerts,
      digest: this.#digest.text,
      received: live.received(this.#alerts),
      dropped: live.dropped,
      gaps: this.#gaps,
      files: this.#files.files.map((file) => ({ ...file, path: basename(file.path) })),
    });
  }

  /**
   * What there is now, for people.
   *
   * @param live Where the alerts came from.
   * @returns Lines for standard error.
   */
  summary(live: LiveAlerts): string {
    const elapsedMs = systemClock.now() - this.#startedAt;
    const rows = [...live.rows(this.#alerts, "recorded")];
    for (const { path, alerts, bytes } of this.#files.files) {
      rows.push(["file", `${harmless(path)}, ${alerts} alerts, ${bytes} bytes`]);
    }
    const unseen = this.redaction?.unseen ?? [];
    if (unseen.length > 0) {
      rows.push(["not redacted", `no alert had a field ${unseen.map(harmless).join(", ")}`]);
    }
    rows.push(["digest", this.#digest.text], ["elapsed", `${(elapsedMs / 1000).toFixed(1)} s`]);
    return rows.map(([label, text]) => `${`${label}:`.padEnd(13)} ${text}\n`).join("");
  }
}
