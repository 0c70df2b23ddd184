/** `FakeFalco.fromConfig`: a falco.yaml in, real sockets, files and processes out. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoClosedError } from "../lib/errors.ts";
import { isPosix, unixConfig, useFolder, withFake } from "./fake_falco_config_probes.ts";

let certificates: Certificates;
const folder = useFolder(async (path) => {
  certificates = await makeCertificates();
  await writeCertificates(join(path, "certs"), certificates);
});
const { newPath } = folder;

const tlsConfig = (certs: string): string =>
  `grpc:
  enabled: true
  bind_address: "0.0.0.0:0"
  threadiness: 8
  private_key: "${certs}/server.key"
  cert_chain: "${certs}/server.crt"
  root_certs: "${certs}/ca.crt"
grpc_output:
  enabled: true
`;

/** All three methods of Falco. */
async function useAllMethods(fake: FakeFalco, tls?: { ca: string; cert: string; key: string }) {
  const falco = connect(fake.address, tls === undefined ? {} : { tls });
  try {
    assert.equal((await falco.version()).version, "0.43.1");
    fake.push(buildAlert({ rule: "one" }), buildAlert({ rule: "two" }));
    const got = await Array.fromAsync(falco.outputs.get());
    assert.deepEqual(got.map(({ rule }) => rule), ["one", "two"]);
    fake.push(buildAlert({ rule: "three" }));
    for await (const { rule } of falco.outputs.subscribe()) {
      assert.equal(rule, "three");
      break;
    }
  } finally {
    await falco.close();
  }
}

describe("FakeFalco.fromConfig", { skip: !isPosix }, () => {
  it("serves all three methods with the documentation's configuration of a socket", async () => {
    const path = newPath("sock");
    await withFake(unixConfig(path), async (fake) => {
      assert.equal(fake.address, `unix://${path}`);
      await useAllMethods(fake);
      await fake.stop();
    });
    assert(!existsSync(path));
  });

  it("serves all three methods with the documentation's configuration of mutual TLS", async () => {
    await withFake(tlsConfig(join(folder.path, "certs")), async (fake) => {
      assert.match(fake.address, /^https:\/\/localhost:\d+$/);
      const { ca, client } = certificates;
      await useAllMethods(fake, { ca, ...client });
      const stranger = await makeCertificates();
      const falco = connect(fake.address, { tls: { ca, ...stranger.client } });
      await assert.rejects(() => falco.version());
      await falco.close();
      await fake.stop();
    });
  });

  it("reads a file, and finds its warnings", async () => {
    const path = newPath("falco.yaml");
    writeFileSync(path, `${unixConfig(newPath("sock"))}jsonoutput: true\n`);
    await withFake(path, (fake) => {
      const { warnings } = fake.outputs!.config;
      assert.equal(warnings[0]?.file, path);
      assert.deepEqual([warnings[0]?.line, warnings[0]?.column], [7, 1]);
      return Promise.resolve();
    });
  });

  it("puts the whole JSON line into the text of gRPC with json_output", async () => {
    await withFake(`${unixConfig(newPath("sock"))}json_output: true\n`, async (fake) => {
      fake.push(buildAlert({ rule: "a rule" }));
      const falco = connect(fake.address);
      const [alert] = await Array.fromAsync(falco.outputs.get());
      await falco.close();
      assert.equal(parseAlert(alert!.output).rule, "a rule");
      assert.equal(alert!.rule, "a rule");
    });
  });

  it("raises only what priority lets through, but all of Falco's own alerts", async () => {
    const text = `${unixConfig(newPath("sock"))}priority: warning\n`;
    await withFake(text, async (fake) => {
      fake.push(
        buildAlert({ priority: "notice" }),
        buildAlert({ priority: "warning" }),
        buildAlert({ priority: "informational", source: "internal", rule: "Falco internal: x" }),
      );
      assert.equal(fake.queueDepth, 2);
      assert.equal(fake.outputs?.stats.belowPriority, 1);
      await fake.stop();
    });
  });

  it("answers and delivers nothing with grpc on and grpc_output off", async () => {
    const text = unixConfig(newPath("sock")).replace(/true\n$/, "false\n") +
      "stdout_output: { enabled: true }\n";
    await withFake(text, async (fake, { stdout }) => {
      fake.push(buildAlert());
      const falco = connect(fake.address);
      assert.equal((await falco.version()).version, "0.43.1");
      assert.deepEqual(await Array.fromAsync(falco.outputs.get()), []);
      await falco.close();
      await fake.stop();
      assert.match(stdout(), /^\d\d:\d\d:\d\d\.0{9}: Notice A shell/);
    });
  });

  it("sends one alert through every channel, in Falco's order", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (bytes) => body += bytes);
      request.on("end", () => {
        bodies.push(body);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const [file, program] = [newPath("events"), newPath("program")];
    const text = `${unixConfig(newPath("sock"))}json_output: true
stdout_output: { enabled: true }
file_output: { enabled: true, filename: ${file} }
program_output: { enabled: true, program: "cat >> ${program}" }
http_output: { enabled: true, url: "http://127.0.0.1:${port}/" }
`;
    try {
      await withFake(text, async (fake, { stdout }) => {
        for (const rule of ["one", "two", "three"]) fake.push(buildAlert({ rule }));
        await fake.outputs!.idle();
        const lines = readFileSync(file, "utf8");
        assert.deepEqual(
          lines.trimEnd().split("\n").map((line) => parseAlert(line).rule),
          ["one", "two", "three"],
        );
        assert.equal(stdout(), lines);
        assert.equal(readFileSync(program, "utf8"), lines);
        assert.deepEqual(bodies.map((body) => `${body}\n`).join(""), lines);
        assert.equal(fake.queueDepth, 3);
        assert.deepEqual(fake.outputs!.stats, {
          belowPriority: 0,
          waiting: 0,
          dropped: 0,
          discarded: 0,
          lost: { file: 0, stdout: 0, program: 0, http: 0, grpc: 0 },
        });
        await fake.stop();
        assert.equal(
          stdout().slice(lines.length),
          "Events detected: 3\nRule counts by severity:\n   NOTICE: 3\n" +
            "Triggered rules by rule name:\n   one: 1\n   two: 1\n   three: 1\n",
        );
      }, { unbuffered: true });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("loses nothing that waits when it is stopped", async () => {
    const program = newPath("program");
    const text = `program_output: { enabled: true, program: "sleep 0.02; cat >> ${program}" }\n`;
    await withFake(text, async (fake) => {
      for (let i = 0; i < 10; i++) fake.push(buildAlert());
      await fake.stop();
      assert.equal(readFileSync(program, "utf8").trimEnd().split("\n").length, 10);
      assert.throws(() => fake.push(buildAlert()), FalcoClosedError);
    });
  });

  it("logs as Falco does, from start to end", async () => {
    const path = newPath("sock");
    const text = `log_stderr: true\ntime_format_iso_8601: true\njson_output: maybe\n${
      unixConfig(path)
    }`;
    await withFake(text, async (fake, { stderr }) => {
      await fake.stop();
      const lines = stderr().split("\n").map((line) =>
        line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000: /, "")
      );
      assert.match(lines[2]!, /^Falco version: 0\.43\.1 \(\w+\)$/);
      lines.splice(2, 1);
      assert.deepEqual(lines, [
        "Using deprecated gRPC server (deprecated as consequence of gRPC output deprecation).",
        "Using deprecated gRPC output. Please consider using other outputs.",
        "Falco initialized with configuration files:",
        "   falco.yaml | schema validation: failed for <root>[json_output]: Value type not " +
        "permitted by 'type' constraint.",
        "Hostname value has been overridden via environment variable to: node-7",
        "gRPC server threadiness equals to 8",
        `Starting gRPC server at unix://${path}`,
        "SIGINT received, exiting...",
        "Events detected: 0",
        "Rule counts by severity:",
        "Triggered rules by rule name:",
        "Shutting down gRPC server. Waiting until external connections are closed by clients",
        "Waiting for the gRPC threads to complete",
        "Draining all the remaining gRPC events",
        "Shutting down gRPC server complete",
        "",
      ]);
    }, { hostname: "node-7" });
  });

  const broken: readonly (readonly [name: string, grpc: string, logged: RegExp])[] = [
    ["missing certificates", 'bind_address: "127.0.0.1:0"', /grpc: Invalid cert chain file\./],
    ["an empty address", 'bind_address: ""', /grpc: Invalid cert chain file\./],
    ["nonsense", "bind_address: nonsense", /grpc: Invalid cert chain file\./],
    ["a socket with one slash", 'bind_address: "unix:/tmp/x.sock"', /Invalid cert chain/],
    ["a regular file", `bind_address: "unix://FILE"`, /the address is in use/],
  ];
  for (const [name, grpc, logged] of broken) {
    it(`logs ${name} and runs on without gRPC`, async () => {
      const file = newPath("regular");
      writeFileSync(file, "precious");
      const text = `log_stderr: true\ngrpc:\n  enabled: true\n  cert_chain: /no\n  ${
        grpc.replace("FILE", file)
      }\nstdout_output: { enabled: true }\n`;
      await withFake(text, async (fake, { stdout, stderr }) => {
        assert.equal(fake.address, "");
        assert.match(stderr(), logged);
        assert.match(stderr(), /: Error starting gRPC server\n/);
        fake.push(buildAlert());
        assert.equal(stdout().split("\n").length, 2);
        await fake.stop();
      }, { unbuffered: true });
      assert.equal(readFileSync(file, "utf8"), "precious");
    });
  }

  it("has no gRPC from 0.44 on, and the other outputs work", async () => {
    const [sock, file] = [newPath("sock"), newPath("events")];
    const text = `${unixConfig(sock)}file_output: { enabled: true, filename: ${file} }\n`;
    await withFake(text, (fake) => {
      assert.equal(fake.address, "");
      assert(!existsSync(sock));
      assert.equal(fake.falcoVersion, "0.44.0");
      fake.push(buildAlert());
      assert.equal(readFileSync(file, "utf8").split("\n").length, 2);
      assert.equal(fake.queueDepth, 0);
      return Promise.resolve();
    }, { falcoVersion: "0.44.0" });
  });

  it("takes hostname for all alerts, over gRPC as well", async () => {
    await withFake(unixConfig(newPath("sock")), async (fake) => {
      fake.push(buildAlert());
      const falco = connect(fake.address);
      const [alert] = await Array.fromAsync(falco.outputs.get());
      await falco.close();
      assert.equal(alert!.hostname, "node-7");
    }, { hostname: "node-7" });
  });

  it("refuses what Falco refuses, and leaves nothing open", async () => {
    await assert.rejects(
      () => FakeFalco.fromConfig("stdout_output: { enabled: true }\npriority: loud\n"),
      /^FalcoConfigError: falco\.yaml:2:11: Unknown priority "loud"/,
    );
    await assert.rejects(() => FakeFalco.fromConfig("/no/such/falco.yaml"), /Could not find/);
    const text = "stdout_output: { enabled: true }\n";
    await assert.rejects(() => FakeFalco.fromConfig(text, { syslog: "x" }), TypeError);
    await assert.rejects(() => FakeFalco.fromConfig(text, { falcoVersion: "x" }), RangeError);
  });
});
