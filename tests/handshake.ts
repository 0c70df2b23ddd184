/** Meetings of two sides over mutual TLS, that the tests of certificates share. @module */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import type { ConnectionOptions, TlsOptions, TLSSocket } from "node:tls";
import type { Certificates } from "../harness/certificates.ts";

/** What Falco asks of its clients: a certificate, issued by this authority. */
export function demand(certificates: Certificates): TlsOptions {
  const { ca, server } = certificates;
  return { ca, ...server, requestCert: true, rejectUnauthorized: true };
}

/** Connects once and resolves with what the server says; rejects if either side refuses the other. */
export async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<string> {
  const { host = "127.0.0.1" } = client;
  const sockets = new Set<TLSSocket>();
  const listener = createServer(server, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.end(`${socket.authorized ? "authorized" : "stranger"} over ${socket.getProtocol()}`);
  });
  listener.on("tlsClientError", () => {});
  listener.listen(0, host);
  await once(listener, "listening");
  try {
    const { port } = listener.address() as AddressInfo;
    return await new Promise((resolve, reject) => {
      let text = "";
      const socket = connect({ host, port, ...client });
      sockets.add(socket);
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => text += chunk);
      socket.on("error", reject);
      socket.on("end", () => text === "" ? reject(new Error("closed unheard")) : resolve(text));
      socket.on("close", () => reject(new Error("closed unheard")));
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
    await once(listener, "close");
  }
}
