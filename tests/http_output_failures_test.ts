/** `http_output` when something fails: what it logs, what it loses, and what it tries again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { CurlError } from "../harness/outputs/curl_error.ts";
import { HttpConnection } from "../harness/outputs/http_connection.ts";
import { HttpOutput } from "../harness/outputs/http_output.ts";
import { systemClock } from "../lib/clock.ts";
import {
  answer,
  configure,
  ok,
  outputOf,
  RecordingServer,
  requestsIn,
  run,
} from "./http_output_probes.ts";
import type { Serve } from "./http_output_probes.ts";

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
