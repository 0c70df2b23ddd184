/** An agent for https that connects TCP before TLS. @module */
import type { ClientRequestArgs } from "node:http";
import { Agent } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls, getCACertificates } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { connectTcp } from "./connect_tcp.ts";

/** For what has but one request at a time, where `tcpFirst` says that it matters. */
export class TcpFirstAgent extends Agent {
  /** While a connection is being opened. */
  #connecting: AbortController | undefined;

  /** @inheritdoc */
  override createConnection(
    options: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): Duplex {
    const fail = done as (error: unknown) => void;
    const place = { host: options.host ?? "localhost", port: Number(options.port ?? 443) };
    const how = { ...options, ...place } as ConnectionOptions;
    // Deno wants a permission for the authorities of the machine: say so before anything is sent.
    if (how.ca === undefined) getCACertificates();
    const connecting = this.#connecting = new AbortController();
    connectTcp(place, [connecting.signal]).finally(() => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    }).then((socket) => {
      let secured;
      try {
        secured = connectTls({ ...how, socket });
      } catch (error) {
        socket.destroy();
        return fail(error);
      }
      done?.(null, secured);
    }, fail);
    return undefined as unknown as Duplex; // it comes later; the types do not know that it may
  }

  /** Gives up a connection that is being opened, which goes on without its request otherwise. */
  stopConnecting(): void {
    this.#connecting?.abort();
  }

  /** @inheritdoc */
  override destroy(): void {
    this.stopConnecting();
    super.destroy();
  }
}
