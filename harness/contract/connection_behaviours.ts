/** What Falco's HTTP/2 connections are like. @module */
import { lstat } from "node:fs/promises";
import { connect } from "node:net";
import type { ClientHttp2Session } from "node:http2";
import { current, measured } from "./behaviour.ts";
import type { RunnableBehaviour } from "./behaviour.ts";
import { SUB } from "./contract_scene.ts";
import { insist, same } from "./difference.ts";
import { bytesUntilClosed } from "./raw_socket.ts";

const common = { section: "connection", minors: [18, 43], source: measured, needs: [] } as const;

/** All of them. */
export const connectionBehaviours: readonly RunnableBehaviour[] = [
  {
    ...common,
    name: "the HTTP/2 settings are those of gRPC's C++ server",
    check: "the SETTINGS frame: windows and frames of 4194303 bytes, headers of 8192",
    async run(scene) {
      const { remoteSettings } = await scene.dial().session();
      const { headerTableSize, initialWindowSize, maxFrameSize, maxHeaderListSize } =
        remoteSettings;
      same("settings", { headerTableSize, initialWindowSize, maxFrameSize, maxHeaderListSize }, {
        headerTableSize: 4096,
        initialWindowSize: 4194303,
        maxFrameSize: 4194303,
        maxHeaderListSize: 8192,
      });
      const { maxConcurrentStreams = Infinity } = remoteSettings;
      insist(maxConcurrentStreams >= 2 ** 31 - 1, `${maxConcurrentStreams} calls at once only`);
    },
  },
  {
    ...common,
    name: "the 4th PING on an idle call ends the connection with ENHANCE_YOUR_CALM",
    check: "sub is opened, then four PINGs; GOAWAY 11 with the words too_many_pings",
    minors: current,
    async run(scene) {
      const client = scene.dial();
      const session = await client.session();
      const heard: { code: number; text: string }[] = [];
      session.on("goaway", (code, _, data) => {
        heard.push({ code, text: new TextDecoder().decode(data ?? new Uint8Array()) });
      });
      const call = await client.call(SUB);
      await scene.quiet();
      // Over TLS the connection has sent one already: it is how a client learns that it was let in.
      const first = scene.address.kind === "tls" ? 2 : 1;
      for (let count = first; count <= 3; count++) {
        same(`PING ${count} is answered`, await scene.within("an answer", ping(session)), true);
      }
      void ping(session);
      same("the status of the sub", await call.end(), undefined);
      same("GOAWAY", heard, [{ code: 11, text: "too_many_pings" }]);
    },
  },
  {
    ...common,
    name: "who speaks something else than HTTP/2 is turned away",
    section: "unix socket",
    check: "a line of HTTP/1.1 in plain text: the connection is closed",
    needs: ["unix"],
    async run(scene) {
      if (scene.address.kind !== "unix") return;
      const socket = connect(scene.address.path);
      socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await scene.within("the close", bytesUntilClosed(socket));
    },
  },
  {
    ...common,
    name: "the socket is a socket that others than its owner cannot write to",
    section: "unix socket",
    check: "the mode of the file: 0755 or less, as Falco's umask leaves it",
    needs: ["unix"],
    async run(scene) {
      if (scene.address.kind !== "unix") return;
      const file = await lstat(scene.address.path);
      insist(file.isSocket(), "it is no socket");
      same("the mode for others", (file.mode & 0o022).toString(8), "0");
    },
  },
  {
    ...common,
    name: "from 0.44 on nobody listens",
    section: "no gRPC",
    check: "a connection is refused, or there is no socket",
    source: "read in the source of 0.44.0",
    minors: [44, Infinity],
    async run(scene) {
      const connected = await scene.dial().session().then(() => true, () => false);
      same("a connection is let in", connected, false);
    },
  },
];

/** Sends a PING: whether it was answered. */
async function ping(session: ClientHttp2Session): Promise<boolean> {
  return await new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve(false);
    const end = (answered: boolean): void => {
      session.off("close", onClose);
      resolve(answered);
    };
    const onClose = (): void => end(false);
    session.once("close", onClose);
    if (!session.ping((error) => end(error === null))) end(false);
  });
}
