/** Messages to a syslog receiver, over each of its carriers. @module */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import type { Socket as UdpSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { tcpFirst } from "../transport/connect_tcp.ts";

/** The way of a message. */
export interface SyslogCarrier {
  /** How often it has connected. */
  readonly connections: number;
  /** Sends messages; they are sent when it resolves, as far as this machine can tell. */
  send(messages: readonly Uint8Array[]): Promise<void>;
  /** Lets what is sent go out, then closes. */
  end(): Promise<void>;
  /** Closes at once; the next `send` begins anew. */
  destroy(): void;
}

/** A receiver's host and port. */
export interface SyslogPlace {
  readonly host: string;
  readonly port: number;
}

/** Certificates as PEM text. */
export interface SyslogTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One datagram a message (RFC 5426). Nobody learns of those that are lost. */
export class UdpCarrier implements SyslogCarrier {
  readonly #place: SyslogPlace;
  #socket: UdpSocket | undefined;
  #address = "";
  #connections = 0;

  /**
   * @param place Where to.
   */
  constructor(place: SyslogPlace) {
    this.#place = place;
  }

  /** @inheritdoc */
  get connections(): number {
    return this.#connections;
  }

  /** @inheritdoc */
  async send(messages: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket ?? await this.#open();
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.send(message, this.#place.port, this.#address, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    }
  }

  /** @inheritdoc */
  end(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  /** @inheritdoc */
  destroy(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #open(): Promise<UdpSocket> {
    // Once, not for each datagram, and again after a failure.
    const { address, family } = await lookup(this.#place.host);
    this.#address = address;
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    socket.on("error", () => {}); // the sender of the datagram hears of it
    this.#connections++;
    return this.#socket = socket;
  }
}

/** A stream in which each message is counted (RFC 6587, section 3.4.1), as TLS wants it (RFC 5425). */
export class StreamCarrier implements SyslogCarrier {
  readonly #place: SyslogPlace;
  readonly #loadTls: (() => Promise<SyslogTls>) | undefined;
  #socket: Socket | undefined;
  #connections = 0;

  /**
   * @param place Where to.
   * @param loadTls Gets the certificates; undefined for plain TCP.
   */
  constructor(place: SyslogPlace, loadTls: (() => Promise<SyslogTls>) | undefined) {
    this.#place = place;
    this.#loadTls = loadTls;
  }

  /** @inheritdoc */
  get connections(): number {
    return this.#connections;
  }

  /** @inheritdoc */
  async send(messages: readonly Uint8Array[]): Promise<void> {
    const frames = messages.flatMap((message) => [Buffer.from(`${message.length} `), message]);
    const socket = this.#socket ?? await this.#connect();
    await new Promise<void>((resolve, reject) => {
      // Some runtimes do not call back when the connection breaks.
      const onClose = () => reject(new Error("the connection was closed"));
      socket.once("close", onClose);
      socket.write(Buffer.concat(frames), (error) => {
        socket.off("close", onClose);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** @inheritdoc */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    const closed = new Promise<unknown>((resolve) => socket.once("close", resolve));
    socket.end();
    await closed;
  }

  /** @inheritdoc */
  destroy(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #connect(): Promise<Socket> {
    const tls = await this.#loadTls?.();
    const socket = tls === undefined
      ? await this.#opened(connect(this.#place), "connect")
      : await this.#connectTls(tls);
    this.#connections++;
    // A receiver has nothing to say; when it ends its side, it is leaving.
    socket.on("end", () => socket.destroy());
    socket.resume();
    return socket;
  }

  async #connectTls(tls: SyslogTls): Promise<Socket> {
    const how = { ...this.#place, ...tls };
    if (!tcpFirst) return await this.#opened(connectTls(how), "secureConnect");
    const socket = await this.#opened(connect(this.#place), "connect");
    try {
      return await this.#opened(connectTls({ ...how, socket }), "secureConnect");
    } catch (error) {
      socket.destroy(); // where no TLS came about
      this.destroy(); // never to be written to
      throw error;
    }
  }

  /** Waits until a socket is connected. It can be destroyed meanwhile. */
  #opened(socket: Socket, event: "connect" | "secureConnect"): Promise<Socket> {
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once(event, () => resolve(socket));
      socket.on("error", reject);
      socket.on("close", () => {
        if (this.#socket === socket) this.#socket = undefined;
        reject(new Error("the connection was closed"));
      });
    });
  }
}
