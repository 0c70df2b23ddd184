/** A sender that does what no HTTP library would. @module */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { within } from "./waits.ts";

/** A TCP connection to a server, and what came back on it. */
export class RawConnection {
  readonly socket: Socket;
  readonly #closed: Promise<unknown>;
  #text = "";

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname.replace(/[[\]]/g, ""));
    this.#closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("error", () => {}); // a reset is one way to be closed
    this.socket.on("data", (chunk) => this.#text += chunk);
  }

  /** Resolves when the server has closed it. */
  get closed(): Promise<unknown> {
    return within("the end of the connection", this.#closed);
  }

  /** All that the server has sent. */
  get text(): string {
    return this.#text;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits until the server has sent a text. */
  async receive(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      await within(JSON.stringify(text), once(this.socket, "data"));
    }
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.#closed;
  }
}

/** The head and the body of a POST. */
export function post(body: string, headers: Record<string, string> = {}): string {
  const all = { Host: "x", "Content-Length": String(new TextEncoder().encode(body).length) };
  const lines = Object.entries({ ...all, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `POST / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}
