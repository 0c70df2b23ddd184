/** `http_output` against real servers: the bytes of its requests, and what it makes of each failure. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import type { FalcoHttpConfig } from "../harness/falco_config/falco_config.ts";
import { parseFalcoConfig } from "../harness/falco_config/parse_falco_config.ts";
import { CurlError } from "../harness/outputs/curl_error.ts";
import { HttpConnection } from "../harness/outputs/http_connection.ts";
import { HttpOutput } from "../harness/outputs/http_output.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";

const read = (name: string): Buffer =>
  readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url));

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** What a server does with a connection: it is told of each piece of a request. */
type Serve = (socket: Socket, text: string, connection: number) => void;

/** A server that records what it gets. */
class RecordingServer {
  readonly connections: Buffer[][] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(serve: Serve, tls?: object) {
    const onSocket = (socket: Socket) => {
      const pieces: Buffer[] = [];
      const number = this.connections.push(pieces);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      socket.on("data", (bytes: Uint8Array) => {
        pieces.push(Buffer.from(bytes));
        serve(socket, Buffer.concat(pieces).toString("latin1"), number);
      });
    };
    this.#server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.connections.flat());
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers each complete request. */
const answer = (response: string): Serve => {
  const answered = new Map<Socket, number>();
  return (socket, text) => {
    const requests = requestsIn(text).length;
    for (let done = answered.get(socket) ?? 0; done < requests; done++) socket.write(response);
    answered.set(socket, requests);
  };
};

/** The bodies of the complete requests in a text. */
function requestsIn(text: string): string[] {
  const bodies: string[] = [];
  for (let at = 0;;) {
    const end = text.indexOf("\r\n\r\n", at);
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(at, end))?.[1]);
    if (end < 0 || text.length < end + 4 + length) return bodies;
    bodies.push(text.slice(end + 4, end + 4 + length));
    at = end + 4 + length;
  }
}

function configure(url: string, more = ""): FalcoHttpConfig {
  const text = `http_output:\n  enabled: true\n  url: ${url}\n${more}`;
  return parseFalcoConfig(text).httpOutput!;
}

/** An output with what it logged and echoed. */
function outputOf(options: FalcoHttpConfig, json = true, clock: Clock = systemClock) {
  const log: string[] = [];
  let echoed = "";
  const output = new HttpOutput(options, {
    json,
    stdout: (bytes) => void (echoed += Buffer.from(bytes).toString()),
    log: (_level, text) => log.push(text.replace("libcurl failed to perform call: ", "")),
    clock,
  });
  const write = (line: string) => output.write({ alert: buildAlert(), line });
  return { output, log, write, echoed: () => echoed };
}

/** Sends lines to a server and returns what it saw and what was logged. */
async function run(serve: Serve, lines: readonly string[], more = "", json = true) {
  const server = new RecordingServer(serve);
  const port = await server.listen();
  const { output, log, write, echoed } = outputOf(
    configure(`http://127.0.0.1:${port}/falco`, more),
    json,
  );
  try {
    for (const line of lines) await write(line);
  } finally {
    output.close();
    await server.close();
  }
  return { server, port, log, lost: output.lost, echoed: echoed() };
}

describe("HttpOutput's requests", () => {
  const cases: readonly (readonly [file: string, json: boolean, more: string])[] = [
    ["http-json.request", true, ""],
    ["http-text.request", false, ""],
    ["http-json-compress_uploads.request", true, "  compress_uploads: true\n"],
    ["http-text-compress_uploads.request", false, "  compress_uploads: true\n"],
    ["http-json.request", true, "  keep_alive: true\n"],
  ];
  for (const [file, json, more] of cases) {
    it(`are those of ${file}${more && ` with${more.trimEnd()}`}, byte by byte`, async () => {
      const expected = read(file).toString("utf8");
      const body = expected.slice(expected.indexOf("\r\n\r\n") + 4);
      const { server, port, log } = await run(answer(ok), [body], more, json);
      assert.equal(
        server.bytes.toString("utf8"),
        expected.replace("127.0.0.1:2801", `127.0.0.1:${port}`),
      );
      assert.deepEqual(log, []);
    });
  }

  it("ask before they send more than 1 MiB, and go on when told", async () => {
    const body = "x".repeat(1_200_315);
    const head = read("http-json-over-1MiB.head").toString("latin1");
    const { server, port, log } = await run((socket, text) => {
      if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (requestsIn(text).length > 0) socket.write(ok);
    }, [body]);
    const expected = head.trimEnd().replace("127.0.0.1:2801", `127.0.0.1:${port}`);
    assert.equal(server.bytes.toString("latin1"), `${expected}\r\n\r\n${body}`);
    assert.deepEqual(log, []);
    const small = await run(answer(ok), ["x".repeat(1_040_303)]);
    assert.doesNotMatch(small.server.bytes.toString("latin1"), /Expect/);
  });

  it("send the body after a second when the server does not say so", async () => {
    const clock = new FakeClock(0);
    let asked = () => {};
    const hasAsked = new Promise<void>((resolve) => asked = resolve);
    const server = new RecordingServer((socket, text) => {
      asked();
      if (requestsIn(text).length > 0) socket.write(ok);
    });
    const port = await server.listen();
    const { output, write } = outputOf(configure(`http://127.0.0.1:${port}/`), true, clock);
    try {
      const written = write("x".repeat(1_100_000));
      await hasAsked;
      assert.match(server.bytes.toString("latin1"), /\r\n\r\n$/);
      clock.advance(1000);
      await written;
      assert.equal(requestsIn(server.bytes.toString("latin1")).length, 1);
    } finally {
      output.close();
      await server.close();
    }
  });

  it("have the user agent that was asked for, or none", async () => {
    const named = await run(answer(ok), ["x"], '  user_agent: "x/1"\n');
    assert.match(named.server.bytes.toString(), /\r\nUser-Agent: x\/1\r\nAccept/);
    const none = await run(answer(ok), ["x"], '  user_agent: ""\n');
    assert.doesNotMatch(none.server.bytes.toString(), /User-Agent/);
    const evil = await run(answer(ok), ["x"], '  user_agent: "x\\r\\nEvil: 1"\n');
    assert.doesNotMatch(evil.server.bytes.toString(), /\nEvil/);
  });

  it("take quotes off the url, keep its query, and turn credentials into a header", async () => {
    const server = new RecordingServer(answer(ok));
    const port = await server.listen();
    const options = configure(`'"http://user:p%40w@127.0.0.1:${port}/a?b=c"'`);
    const { output, write } = outputOf(options);
    try {
      await write("x");
      const [line, host, authorization] = server.bytes.toString().split("\r\n");
      assert.equal(line, "POST /a?b=c HTTP/1.1");
      assert.equal(host, `Host: 127.0.0.1:${port}`);
      assert.equal(authorization, `Authorization: Basic ${btoa("user:p@w")}`);
    } finally {
      output.close();
      await server.close();
    }
  });
});

describe("HttpOutput's connections", () => {
  it("carry all alerts, one after the other, on one of them", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    const { server, log } = await run(answer(ok), lines);
    assert.equal(server.connections.length, 1);
    assert.deepEqual(requestsIn(server.bytes.toString("latin1")), lines);
    assert.deepEqual(log, []);
  });

  const statuses = [
    "200 OK",
    "201 Created",
    "301 Moved",
    "401 No",
    "404 Not Found",
    "429 Slow",
    "500 Oops",
  ];
  for (const status of statuses) {
    it(`take ${status} for delivered, and stay`, async () => {
      const response =
        `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nLocation: /x\r\nRetry-After: 9\r\n\r\n`;
      const { server, log, lost } = await run(answer(response), ["a", "b"]);
      assert.deepEqual(requestsIn(server.bytes.toString()), ["a", "b"]);
      assert.equal(server.connections.length, 1);
      assert.deepEqual([log, lost], [[], 0]);
    });
  }

  const endings: readonly (readonly [name: string, response: string, connections: number])[] = [
    ["204 without a body", "HTTP/1.1 204 No Content\r\n\r\n", 1],
    [
      "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n",
      1,
    ],
    ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2],
    ["102 before 200", `HTTP/1.1 102 Processing\r\n\r\n${ok}`, 1],
    ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 1],
  ];
  for (const [name, response, connections] of endings) {
    it(`read a response with ${name} to its end`, async () => {
      const whole = await run(answer(response), ["a", "b"]);
      assert.deepEqual(whole.log, []);
      assert.equal(whole.server.connections.length, connections);
      assert.deepEqual(requestsIn(whole.server.bytes.toString()), ["a", "b"]);
      // Byte by byte: no piece is taken for the whole.
      const dribbled = await run((socket, text) => {
        if (requestsIn(text).length === 0) return;
        let at = 0;
        const next = () => {
          if (at < response.length) socket.write(response[at++]!, () => setTimeout(next, 0));
        };
        next();
      }, ["a"]);
      assert.deepEqual(dribbled.log, []);
    });
  }

  it("read a response without a length to the end of the connection", async () => {
    const { server, log } = await run((socket, text) => {
      if (requestsIn(text).length > 0) socket.end("HTTP/1.1 200 OK\r\n\r\nhello");
    }, ["a", "b"]);
    assert.equal(server.connections.length, 2);
    assert.deepEqual(log, []);
  });

  it("print what the server answers with echo", async () => {
    const { echoed } = await run(answer(ok), ["a", "b"], "  echo: true\n");
    assert.equal(echoed, "okok");
    assert.equal((await run(answer(ok), ["a"])).echoed, "");
  });

  it("send an alert again, once and silently, when a used one breaks before any answer", async () => {
    const { server, log, lost } = await run((socket, text, connection) => {
      const requests = requestsIn(text).length;
      if (requests === 0) return;
      if (connection === 1 && requests === 2) socket.end();
      else socket.write(ok);
    }, ["a", "b", "c"]);
    const seen = server.connections.map((pieces) => requestsIn(Buffer.concat(pieces).toString()));
    assert.deepEqual(seen, [["a", "b"], ["b", "c"]]);
    assert.deepEqual([log, lost], [[], 0]);
  });
});

describe("HttpOutput's failures", () => {
  const closing = (response: string): Serve => (socket, text) => {
    if (requestsIn(text).length > 0) socket.end(response);
  };
  const cases: readonly (readonly [name: string, serve: Serve, logged: string])[] = [
    ["no response", closing(""), "Server returned nothing (no headers, no data)"],
    [
      "half a body",
      closing("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
      "Transferred a partial file",
    ],
    ["what is not HTTP", closing("hello there\r\n"), "Unsupported protocol"],
    ["SSH", closing("SSH-2.0-x\r\n"), "Unsupported protocol"],
  ];
  for (const [name, serve, logged] of cases) {
    it(`log ${name} as libcurl names it, and lose the alert`, async () => {
      const { server, log, lost } = await run(serve, ["a", "b"]);
      assert.deepEqual(log, [logged, logged]);
      // Nothing is sent twice on a fresh connection.
      assert.equal(server.connections.length, 2);
      assert.equal(lost, 2);
    });
  }

  it("name a server that is not there once an alert, and deliver again when it is back", async () => {
    const first = new RecordingServer(answer(ok));
    const port = await first.listen();
    await first.close();
    const { output, log, write } = outputOf(configure(`http://127.0.0.1:${port}/`));
    await write("a");
    await write("b");
    assert.deepEqual(log, ["Couldn't connect to server", "Couldn't connect to server"]);
    assert.equal(output.lost, 2);
  });

  const urls: readonly (readonly [url: string, logged: string])[] = [
    ["http://no-such-host.invalid/", "Couldn't resolve host name"],
    ["notaurl.invalid", "Couldn't resolve host name"],
    ["ftp://localhost/", "Unsupported protocol"],
    ["http://[", "URL using bad/illegal format or missing URL"],
  ];
  for (const [url, logged] of urls) {
    it(`log the url ${url} as libcurl does`, async () => {
      const { log, write } = outputOf(configure(`"${url}"`));
      await write("a");
      assert.deepEqual(log, [logged]);
    });
  }

  for (const { more, attempts } of [{ more: "", attempts: 6 }, { more: 0, attempts: 1 }]) {
    const setting = more === "" ? "" : `  max_consecutive_timeouts: ${more}\n`;
    it(`connect ${attempts} times while nobody answers${setting.trimEnd()}`, async () => {
      const log: string[] = [];
      let count = 0;
      let target = "";
      const output = new HttpOutput(configure("http://192.0.2.1:8080/", setting), {
        json: true,
        stdout: () => {},
        log: (_level, text) => log.push(text),
        clock: systemClock,
        connect: ({ host, port }) => {
          count++;
          target = `${host}:${port}`;
          return Promise.reject(new CurlError("timeout"));
        },
      });
      await output.write({ alert: buildAlert(), line: "lost" });
      assert.deepEqual([count, target, output.lost], [attempts, "192.0.2.1:8080", 1]);
      assert.equal(log.length, 1);
      // The next alert has as many again.
      await output.write({ alert: buildAlert(), line: "lost, too" });
      assert.equal(count, 2 * attempts);
      output.close();
    });
  }

  it("connect no more once they are killed, and deliver if an attempt succeeds", async () => {
    const server = new RecordingServer(answer(ok));
    const port = await server.listen();
    let count = 0;
    const outputs: HttpOutput[] = [];
    const make = (failures: number, kill: boolean) =>
      new HttpOutput(configure(`http://127.0.0.1:${port}/`), {
        json: true,
        stdout: () => {},
        log: () => {},
        clock: systemClock,
        connect: (target, onSocket) => {
          if (++count > failures) return HttpConnection.connect(target, onSocket);
          if (kill) outputs[0]!.kill();
          return Promise.reject(new CurlError("timeout"));
        },
      });
    outputs.push(make(9, true));
    await outputs[0]!.write({ alert: buildAlert(), line: "lost" });
    assert.deepEqual([count, outputs[0]!.lost], [1, 1]);
    count = 0;
    const patient = make(5, false);
    await patient.write({ alert: buildAlert(), line: "arrives" });
    assert.deepEqual([count, patient.lost], [6, 0]);
    assert.deepEqual(requestsIn(server.bytes.toString()), ["arrives"]);
    patient.close();
    await server.close();
  });

  it("wait for ever for an answer, until they are killed", async () => {
    let asked = () => {};
    const hasAsked = new Promise<void>((resolve) => asked = resolve);
    const server = new RecordingServer(() => asked());
    const port = await server.listen();
    const { output, log, write } = outputOf(configure(`http://127.0.0.1:${port}/`));
    const written = write("a");
    await hasAsked;
    output.kill();
    await written;
    assert.deepEqual(log, []);
    assert.equal(output.lost, 1);
    await server.close();
  });
});

describe("HttpOutput over TLS", () => {
  let folder: TempFolder;
  let certificates: Certificates;
  let others: Certificates;
  before(async () => {
    folder = await makeTempFolder();
    certificates = await makeCertificates();
    others = await makeCertificates();
    await writeCertificates(folder.path, certificates);
    writeFileSync(join(folder.path, "other.crt"), others.ca);
  });
  after(() => folder.remove());

  const post = async (
    more: (path: string) => string,
    asksForCertificate = false,
    name = "localhost",
  ) => {
    const { ca, server: { cert, key } } = certificates;
    const server = new RecordingServer(answer(ok), {
      cert,
      key,
      ca,
      requestCert: asksForCertificate,
      rejectUnauthorized: asksForCertificate,
    });
    const port = await server.listen();
    const options = configure(`https://${name}:${port}/falco`, more(folder.path));
    const { output, log, write } = outputOf(options);
    try {
      await write("a");
      await write("b");
    } finally {
      output.close();
      await server.close();
    }
    return {
      log,
      bodies: requestsIn(server.bytes.toString()),
      connections: server.connections.length,
    };
  };

  it("trusts ca_cert, ca_bundle or what is in ca_path", async () => {
    for (
      const more of [
        (path: string) => `  ca_cert: ${path}/ca.crt\n`,
        (path: string) => `  ca_bundle: ${path}/ca.crt\n`,
        (path: string) => `  ca_path: ${path}\n`,
      ]
    ) {
      assert.deepEqual(await post(more), { log: [], bodies: ["a", "b"], connections: 1 });
    }
  });

  it("shows its certificate with mtls", async () => {
    const more = (path: string) =>
      `  ca_cert: ${path}/ca.crt\n  mtls: true\n  client_cert: ${path}/client.crt\n` +
      `  client_key: ${path}/client.key\n`;
    assert.deepEqual((await post(more, true)).bodies, ["a", "b"]);
  });

  it("takes any certificate with insecure", async () => {
    assert.deepEqual((await post(() => "  insecure: true\n")).bodies, ["a", "b"]);
  });

  it("logs a certificate that it does not trust", async () => {
    const logged = "SSL peer certificate or SSH remote key was not OK";
    const { log, bodies } = await post((path) => `  ca_cert: ${path}/other.crt\n`);
    assert.deepEqual(log, [logged, logged]);
    assert.deepEqual(bodies, []);
  });

  it("logs files that are missing at each alert", async () => {
    const cert = await post((path) =>
      `  ca_cert: ${path}/ca.crt\n  mtls: true\n  client_cert: /no\n`
    );
    assert.deepEqual(cert.log, Array(2).fill("Problem with the local SSL certificate"));
    const ca = await post(() => "  ca_cert: /no/such/ca.crt\n");
    assert.deepEqual(ca.log, Array(2).fill("Problem with the SSL CA cert (path? access rights?)"));
  });

  it("logs a server that wants a certificate it has not", async () => {
    const { log, bodies } = await post((path) => `  ca_cert: ${path}/ca.crt\n`, true);
    assert.deepEqual(log, Array(2).fill("Failure when receiving data from the peer"));
    assert.deepEqual(bodies, []);
  });
});
