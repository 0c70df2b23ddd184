/** `http_output`. @module */
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import type { FalcoHttpConfig } from "../falco_config/falco_config.ts";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";
import { CurlError } from "./curl_error.ts";
import type { LogLevel } from "./falco_log.ts";
import { HttpConnection } from "./http_connection.ts";
import type { HttpRequest, HttpTarget } from "./http_connection.ts";
import type { WriteBytes } from "./stdout_output.ts";

/** Above this libcurl asks with `Expect` before it sends a body, in bytes. */
const EXPECT_BYTES = 1024 * 1024;
/** Where libcurl finds authorities by default; the runtime's own list stands for it here. */
const DEFAULT_CA_PATH = "/etc/ssl/certs";

/** What else the channel needs. */
export interface HttpOutputSurroundings {
  /** `json_output`: decides the content type. */
  readonly json: boolean;
  /** Standard output, for `echo`. */
  readonly stdout: WriteBytes;
  /** Takes a line of Falco's log. */
  readonly log: (level: LogLevel, text: string) => void;
  /** Time for `Expect`. */
  readonly clock: Clock;
  /** Connects. Default {@linkcode HttpConnection.connect}; a test cannot wait until nobody answers. */
  readonly connect?: typeof HttpConnection.connect;
}

/**
 * Posts each alert, byte by byte as Falco's libcurl does, one at a time on one connection.
 *
 * - Any complete response counts as delivered, whatever its status. Redirects are not followed.
 * - There is no timeout: a server that does not answer blocks all channels.
 * - Only connecting is tried again, when nobody answers; all other failures are one line in the log,
 *   and the alert is lost. A connection that was used before and breaks before any answer is replaced
 *   once, silently: the server may see that alert twice.
 */
export class HttpOutput implements AlertOutput {
  readonly name = "http";
  readonly #options: FalcoHttpConfig;
  readonly #surroundings: HttpOutputSurroundings;
  #connection: HttpConnection | undefined;
  #connecting: Socket | undefined;
  #killed = false;
  #lost = 0;

  /**
   * @param options What the configuration says.
   * @param surroundings Standard output, log and time.
   */
  constructor(options: FalcoHttpConfig, surroundings: HttpOutputSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
  }

  /** @inheritdoc */
  get lost(): number {
    return this.#lost;
  }

  /** @inheritdoc */
  async write({ line }: OutputMessage): Promise<void> {
    try {
      const url = parseUrl(this.#options.url);
      await this.#post(url, this.#request(url, Buffer.from(line)));
    } catch (error) {
      this.#lost++;
      if (!(error instanceof CurlError)) throw error;
      if (this.#killed) return;
      this.#surroundings.log("error", `libcurl failed to perform call: ${error.message}`);
    }
  }

  /** @inheritdoc */
  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /** @inheritdoc */
  kill(): void {
    this.#killed = true;
    this.#connecting?.destroy();
    this.close();
  }

  async #post(url: URL, request: HttpRequest): Promise<void> {
    const { clock, stdout } = this.#surroundings;
    const echo = this.#options.echo ? (bytes: Uint8Array) => void stdout(bytes) : undefined;
    if (this.#connection !== undefined && !this.#connection.isOpen) this.#connection = undefined;
    const connection = this.#connection ??= await this.#connect(url);
    try {
      await connection.send(request, clock, echo);
    } catch (error) {
      this.#connection = undefined;
      if (!connection.isReused || !connection.hadNoAnswer || this.#killed) throw error;
      this.#connection = await this.#connect(url);
      await this.#connection.send(request, clock, echo);
    }
  }

  async #connect(url: URL): Promise<HttpConnection> {
    const isTls = url.protocol === "https:";
    const target: HttpTarget = {
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(url.port) || (isTls ? 443 : 80),
      tls: isTls ? readCredentials(this.#options) : undefined,
      keepAlive: this.#options.keepAlive,
    };
    const { connect = HttpConnection.connect } = this.#surroundings;
    for (let left = this.#options.maxConsecutiveTimeouts;; left--) {
      try {
        return await connect(target, (socket) => this.#connecting = socket);
      } catch (error) {
        const isTimeout = error instanceof CurlError && error.failure === "timeout";
        if (!isTimeout || left === 0 || this.#killed) throw error;
      } finally {
        this.#connecting = undefined;
      }
    }
  }

  #request(url: URL, body: Uint8Array): HttpRequest {
    const { userAgent, compressUploads } = this.#options;
    const expectsContinue = body.length > EXPECT_BYTES;
    const credentials = url.username === "" && url.password === ""
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    const lines = [
      `POST ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      ...(credentials === undefined
        ? []
        : [`Authorization: Basic ${Buffer.from(credentials).toString("base64")}`]),
      ...(userAgent === "" ? [] : [`User-Agent: ${userAgent}`]),
      "Accept: */*",
      ...(compressUploads ? ["Connection: TE", "TE: gzip"] : []),
      `Content-Type: ${this.#surroundings.json ? "application/json" : "text/plain"}`,
      `Content-Length: ${body.length}`,
      ...(expectsContinue ? ["Expect: 100-continue"] : []),
    ];
    // The user agent comes from a file; a line break in it must not become a header.
    const head = lines.map((line) => line.replace(/[\r\n]+/g, " ")).join("\r\n");
    return { head: `${head}\r\n\r\n`, body, expectsContinue };
  }
}

/** As libcurl reads it: quotes around it are taken off, and `http` is the default. */
function parseUrl(text: string): URL {
  const bare = text.replace(/^"(.*)"$/, "$1");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(bare)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw new CurlError("unsupportedProtocol");
  }
  const full = scheme === undefined ? `http://${bare}` : bare;
  if (!URL.canParse(full)) throw new CurlError("badUrl");
  return new URL(full);
}

/** Read for each connection, as libcurl does: a file that appears later is found. */
function readCredentials(options: FalcoHttpConfig): ConnectionOptions {
  const { insecure, caCert, caBundle, caPath, mtls, clientCert, clientKey } = options;
  const credentials: ConnectionOptions = { rejectUnauthorized: !insecure };
  const file = caCert !== "" ? caCert : caBundle;
  if (!insecure && file !== "") credentials.ca = readPem(file, "badAuthority");
  else if (!insecure && caPath !== "" && caPath !== DEFAULT_CA_PATH) {
    credentials.ca = readFolder(caPath);
  }
  if (mtls) {
    credentials.cert = readPem(clientCert, "badClientCertificate");
    credentials.key = readPem(clientKey, "badClientCertificate");
  }
  return credentials;
}

function readPem(path: string, failure: "badAuthority" | "badClientCertificate"): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new CurlError(failure, cause);
  }
}

/** OpenSSL skips what is no certificate, and a folder that is not there. */
function readFolder(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      const text = readFileSync(join(path, name), "utf8");
      return text.includes("-----BEGIN CERTIFICATE-----") ? [text] : [];
    } catch {
      return [];
    }
  });
}
