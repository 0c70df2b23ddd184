/** `http_output` against real servers: the bytes of its requests, and their connections. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  answer,
  configure,
  ok,
  outputOf,
  RecordingServer,
  requestsIn,
  run,
} from "./http_output_probes.ts";

const read = (name: string): Buffer =>
  readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url));

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
