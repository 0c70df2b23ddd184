/** Falco's mutual TLS. @module */
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { loadCredentials } from "../../lib/transport/credentials.ts";
import { makeCertificates } from "../certificates.ts";
import { measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import type { ContractScene } from "./contract_scene.ts";
import { same } from "./difference.ts";
import { bytesUntilClosed } from "./raw_socket.ts";

const common = { section: "TLS", minors: [18, 43], source: measured, needs: ["tls"] } as const;

/** Opens a TLS connection to the target, with its certificates unless `options` say otherwise. */
async function openTls(scene: ContractScene, options: ConnectionOptions): Promise<TLSSocket> {
  const { address, target } = scene;
  if (address.kind !== "tls") throw new TypeError("not reached: the address is a unix socket");
  const { ca, cert, key, servername } = await loadCredentials(target.credentials!, address.text);
  const { host, port } = address;
  return connectTls({ host, port, servername: servername ?? host, ca, cert, key, ...options });
}

/** How many bytes come before the server closes; 0 for a connection that was never there. */
async function bytesOf(scene: ContractScene, options: ConnectionOptions): Promise<number> {
  const socket = await openTls(scene, options);
  return await scene.within("the close", bytesUntilClosed(socket));
}

const h2 = { ALPNProtocols: ["h2"] };

/** All of them. */
export const tlsBehaviours: readonly RunnableBehaviour[] = [
  ...(["TLSv1.2", "TLSv1.3"] as const).map((protocol): RunnableBehaviour => ({
    ...common,
    name: `${protocol} is spoken`,
    check: `a handshake with ${protocol} alone: SETTINGS must come`,
    async run(scene) {
      const socket = await openTls(scene, {
        ...h2,
        minVersion: protocol,
        maxVersion: protocol,
      });
      try {
        const came = new Promise<boolean>((resolve) => {
          socket.once("data", () => resolve(true));
          socket.on("error", () => resolve(false));
          socket.on("close", () => resolve(false));
          socket.on("end", () => resolve(false));
        });
        same("SETTINGS came", await scene.within("an answer", came), true);
        same("the protocol", socket.getProtocol(), protocol);
      } finally {
        socket.destroy();
      }
    },
  })),
  ...(["TLSv1.2", "TLSv1.3"] as const).flatMap((protocol): RunnableBehaviour[] => [
    {
      ...common,
      name: `a client without a certificate is turned away over ${protocol}`,
      check: "a handshake without one: the connection is closed before a byte of HTTP/2",
      async run(scene) {
        const socket = await openTls(scene, {
          ...h2,
          minVersion: protocol,
          maxVersion: protocol,
          cert: undefined,
          key: undefined,
        });
        same("bytes", await scene.within("the close", bytesUntilClosed(socket)), 0);
      },
    },
    {
      ...common,
      name: `a client with another authority's certificate is turned away over ${protocol}`,
      check: "a handshake with one made for this: closed before a byte of HTTP/2",
      async run(scene) {
        const { client } = await makeCertificates();
        const versions = { minVersion: protocol, maxVersion: protocol };
        same("bytes", await bytesOf(scene, { ...h2, ...versions, ...client }), 0);
      },
    },
  ]),
  ...([undefined, ["http/1.1"]] as const).map((protocols): RunnableBehaviour => ({
    ...common,
    name: `a client that asks for ${protocols?.[0] ?? "no protocol"} is let in and closed on`,
    check: `ALPN with ${protocols?.[0] ?? "nothing"}: the handshake works, then no byte comes`,
    async run(scene) {
      const alpn = protocols === undefined ? {} : { ALPNProtocols: [...protocols] };
      same("bytes", await bytesOf(scene, alpn), 0);
    },
  })),
  {
    ...common,
    name: "plain text is turned away",
    check: "HTTP/2's preface without TLS: the connection is closed",
    async run(scene) {
      if (scene.address.kind !== "tls") return;
      const socket = connectTcp(scene.address.port, scene.address.host);
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      await scene.within("the close", bytesUntilClosed(socket));
    },
  },
];
