/** A connection to a Falco that sends nothing on its own. @module */
import type { ClientHttp2Session } from "node:http2";
import type { Clock } from "../../lib/clock.ts";
import type { Address } from "../../lib/transport/address.ts";
import type { TlsCredentials } from "../../lib/transport/credentials.ts";
import { SessionManager } from "../../lib/transport/session_manager.ts";
import { ContractCall } from "./contract_call.ts";

/** What {@linkcode ContractClient} needs to know. */
export interface ContractClientOptions {
  readonly tls: TlsCredentials | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Headers that replace or add to those of a call; undefined leaves one out. */
export type CallHeaders = Readonly<Record<string, string | undefined>>;

/** One HTTP/2 connection, and calls on it. */
export class ContractClient {
  readonly #manager: SessionManager;
  readonly #options: ContractClientOptions;

  /**
   * @param address Where.
   * @param options Certificates, and how long to wait.
   */
  constructor(address: Address, options: ContractClientOptions) {
    this.#options = options;
    const { tls, clock, timeoutMs } = options;
    this.#manager = new SessionManager(address, { tls, clock, connectTimeoutMs: timeoutMs });
  }

  /**
   * Hands out the connection, opened if there is none.
   *
   * @throws {FalcoConnectError} If there is none to be had.
   */
  async session(): Promise<ClientHttp2Session> {
    return await this.#manager.session();
  }

  /**
   * Opens a call; no request is sent yet.
   *
   * @param method The method, without the leading slash.
   * @param headers Others than usual.
   */
  async call(method: string, headers: CallHeaders = {}): Promise<ContractCall> {
    const all = {
      ":method": "POST",
      ":path": `/${method}`,
      "content-type": "application/grpc",
      "te": "trailers",
      ...headers,
    };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    const stream = await this.#manager.request(Object.fromEntries(given), { endStream: false });
    return new ContractCall(stream, this.#options.clock, this.#options.timeoutMs);
  }

  /**
   * Does a call with one request, as generated clients do: a request, half-close.
   *
   * @param method The method.
   * @param request The request.
   * @param headers Others than usual.
   */
  async ask(
    method: string,
    request?: Uint8Array,
    headers: CallHeaders = {},
  ): Promise<ContractCall> {
    const call = await this.call(method, headers);
    call.request(request);
    call.halfClose();
    return call;
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#manager.close();
  }
}
