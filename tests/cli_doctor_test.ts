/** `doctor` as a process: that it takes nothing, what it finds at unix sockets, its arguments. */
// deno-lint-ignore-file no-control-regex
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { createSecureServer, createServer } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { refusalFinding } from "../cli/doctor/check_place.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { parseAddress } from "../lib/transport/address.ts";
import {
  certificates,
  diagnose,
  failure,
  folder,
  stateOf,
  useCertificates,
  withFake,
  withServer,
} from "./doctor_probes.ts";
import { runCli, startCli } from "./run_cli.ts";

useCertificates();

describe("doctor with nothing wrong", () => {
  it("takes no alert out of the queue, over a socket and over TLS", async () => {
    for (const tls of [false, certificates]) {
      await withFake({ tls }, async (fake) => {
        fake.push(buildAlert(), buildAlert(), buildAlert());
        const certs = tls === false ? [] : ["--certs", join(folder.path, "certs")];
        const report = await diagnose(fake.address, ...certs);
        assert.equal(report.ok, true, JSON.stringify(report));
        assert.equal(report.address, fake.address);
        assert.equal(fake.queueDepth, 3);
        // Not a single request went out on the call for alerts.
        const sub = fake.requests.find(({ method }) => method === "falco.outputs.service/sub");
        assert.equal(sub?.requests, 0);
        assert.deepEqual(
          Object.entries(stateOf(report)).filter(([, state]) => state !== "ok"),
          [["grpc-output", "skipped"]],
        );
      });
    }
  });

  it("names Falco, the owner and mode of the socket, and what cannot be known", async () => {
    await withFake({}, async (fake) => {
      const path = fake.address.slice("unix://".length);
      chmodSync(path, 0o700);
      const { status, stdout, stderr } = await runCli(["doctor", fake.address]);
      assert.equal(status, 0, stderr);
      const { uid, gid } = statSync(path);
      const lines = stdout.split("\n");
      assert(
        lines.includes(`ok       socket              ${path}, owner ${uid}:${gid}, mode 0700`),
      );
      assert.match(stdout, /^ok {7}version {13}Falco 0\.43\.1, engine 0\.58\.0$/m);
      assert.match(stdout, /^ok {7}era {17}0\.31 to 0\.43/m);
      assert.match(stdout, /^skipped {2}grpc-output .*set grpc_output\.enabled to true/m);
      assert.equal(stderr, "all is well\n");
    });
  });

  it("lists versions of TLS, the protocol, names, authority and dates", async () => {
    await withFake({ tls: certificates }, async (fake) => {
      const certs = join(folder.path, "certs");
      const files = ["--ca", `${certs}/ca.crt`, "--cert", `${certs}/client.crt`];
      const report = await diagnose(fake.address, ...files, "--key", `${certs}/client.key`);
      const text = (name: string) => report.checks.find(({ check }) => check === name)?.text;
      assert.equal(text("tls"), "TLS 1.3 and TLS 1.2");
      assert.equal(text("alpn"), "h2");
      assert.match(text("resolve")!, /^localhost is .*(127\.0\.0\.1|::1)/);
      assert.match(text("server-name")!, /^valid for localhost \(SAN: DNS:localhost, /);
      assert.equal(text("server-chain"), "signed by CN=falco-streams test CA");
      assert.match(text("server-dates")!, /^valid until 20\d\d-\d\d-\d\d$/);
      assert.equal(text("client-certificate"), "accepted");
    });
  });

  it("tells an older Falco by its version", async () => {
    for (const [falcoVersion, tags] of [["0.24.0", ", without tags"], ["0.30.0", ""]] as const) {
      await withFake({ falcoVersion }, async (fake) => {
        const report = await diagnose(fake.address);
        assert.equal(report.ok, true);
        const era = report.checks.find(({ check }) => check === "era");
        assert.equal(era?.text, `0.24 to 0.30: alerts with their source as a number${tags}`);
      });
    }
  });

  it("colours states if asked to, and never with --color never", async () => {
    await withFake({}, async (fake) => {
      const coloured = await runCli(["doctor", fake.address, "--color", "always"]);
      assert.match(coloured.stdout, /^\x1b\[32mok\x1b\[0m {7}address /);
      const plain = await runCli(["doctor", fake.address, "--color", "never"]);
      assert.doesNotMatch(plain.stdout, /\x1b/);
    });
  });
});

describe("doctor at a unix socket", () => {
  it("says that there is none, and that 0.44 has no gRPC", async () => {
    const report = await diagnose(join(folder.path, "none.sock"));
    assert.match(failure(report), /^socket: .*no such file\. Falco 0\.44 and later have no gRPC/);
    assert.deepEqual(Object.values(stateOf(report)).slice(2), Array(5).fill("skipped"));
  });

  it("says that a file or a folder is in the way", async () => {
    const path = join(folder.path, "file.sock");
    writeFileSync(path, "");
    assert.match(failure(await diagnose(path)), /^socket: .* is no socket\. .*remove it/);
    assert.match(failure(await diagnose(folder.path)), /^socket: .* is a folder\. Name the socket/);
  });

  it("says that nobody listens at a file that a killed Falco has left", async () => {
    const path = join(folder.path, "stale.sock");
    const fake = await FakeFalco.start({ listen: path });
    await fake.kill();
    const line = failure(await diagnose(path));
    assert.match(line, /^listening: nobody listens: Falco was killed and left the file behind\. /);
  });

  it("says who may connect", async (t) => {
    const error = Object.assign(new Error("connect EACCES"), { code: "EACCES" });
    const { state, text, remedy } = refusalFinding(parseAddress("/run/falco/falco.sock"), error);
    assert.deepEqual([state, text], ["fail", "permission denied"]);
    assert.match(remedy!, /run as its owner, or change its mode/);
    if (statSync(folder.path).uid === 0) {
      return t.diagnostic?.("root may connect to every socket: only the wording was tested");
    }
    await withFake({}, async (fake) => {
      chmodSync(fake.address.slice("unix://".length), 0o000);
      assert.match(failure(await diagnose(fake.address)), /^listening: permission denied\. /);
    });
  });

  it("says that nobody takes connections", () => {
    const error = Object.assign(new Error("connect EAGAIN"), { code: "EAGAIN" });
    const { state, text, remedy } = refusalFinding(parseAddress("/run/falco/falco.sock"), error);
    assert.deepEqual([state, text], ["fail", "too many connections wait, and nobody takes them"]);
    assert.equal(remedy, "Falco hangs or has too much to do; restart it if that does not pass");
    const full = Object.assign(new Error("connect EMFILE"), { code: "EMFILE" });
    for (const address of ["/run/falco/falco.sock", "https://localhost:5060"]) {
      const { text } = refusalFinding(parseAddress(address), full);
      assert.equal(text, "this side has no room for a connection (EMFILE)");
    }
  });

  it("says that whoever listens is no Falco", async () => {
    const path = join(folder.path, "other.sock");
    const server = createSecureServer({ ...certificates.server });
    server.listen(path);
    await once(server, "listening");
    try {
      assert.match(failure(await diagnose(path)), /^version: Cannot connect to .*plain HTTP\/2/);
    } finally {
      server.close();
    }
  });

  it("says that a server has neither service", async () => {
    const path = join(folder.path, "empty.sock");
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "12" });
      response.end();
    });
    server.listen(path);
    await once(server, "listening");
    try {
      const report = await diagnose(path);
      assert.match(failure(report), /^outputs: it offers no alerts/);
      assert.equal(stateOf(report)["version"], "warn");
    } finally {
      server.close();
    }
  });

  it("knows the first service of Falco, which 0.18 and 0.19 have alone", async () => {
    const cases = [["0.18.0", "warn", 1], ["0.20.0", "ok", 0], ["0.23.0", "ok", 0]] as const;
    for (const [falcoVersion, version, status] of cases) {
      await withFake({ falcoVersion }, async (fake) => {
        fake.push(buildAlert());
        const report = await diagnose(fake.address);
        assert.equal(report.ok, status === 0, JSON.stringify(report.checks));
        assert.equal(stateOf(report)["version"], version);
        assert.equal(stateOf(report)["outputs"], "ok");
        assert.match(report.checks.find(({ check }) => check === "era")!.text, /^0\.18 to 0\.23/);
        assert.equal(fake.queueDepth, 1);
      });
    }
  });

  it("says of a Falco from 0.44 on that it has no gRPC", async () => {
    await withFake({ falcoVersion: "0.44.0" }, async (fake) => {
      assert.match(failure(await diagnose(fake.address)), /Falco 0\.44 and later have no gRPC/);
    });
  });

  it("names both default places if none is given", async (t) => {
    const there = ["/run/falco/falco.sock", "/var/run/falco.sock"].some((path) =>
      statSync(path, { throwIfNoEntry: false }) !== undefined
    );
    if (there) return t.diagnostic?.("a Falco runs here");
    assert.match(
      failure(await diagnose()),
      /^address: .*unix:\/\/\/run\/falco\/falco\.sock nor unix:\/\/\/var\/run\/falco\.sock\. /,
    );
  });
});

describe("doctor's arguments", () => {
  it("explains itself", async () => {
    const { status, stdout } = await runCli(["doctor", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /takes no alert out of Falco's queue/);
    for (const word of ["--certs DIR", "--json", "Exit status: 0 all is well"]) {
      assert(stdout.includes(word), word);
    }
  });

  it("refuses what it cannot use with status 2, and nothing on standard output", async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["a:1", "b:2"], /^unexpected argument "b:2"/],
      [["http://localhost:5060"], /^Cannot use the address .*over TCP Falco speaks only TLS/],
      [["/tmp/x.sock", "--certs", "/tmp"], /^certificates are for TLS/],
      [["--jsn"], /^unknown option "--jsn"\. Did you mean --json\?/],
      [["--color", "sometimes"], /^--color must be one of auto, always, never/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await runCli(["doctor", ...args]);
      assert.deepEqual([status, stdout], [2, ""], args.join(" "));
      assert.match(stderr, message);
    }
  });

  it("stops at once on Ctrl-C", async () => {
    // It takes connections and never says a word.
    await withServer(createTcpServer((socket) => socket.on("error", () => {})), async (port) => {
      const { child, finished } = startCli(["doctor", `localhost:${port}`]);
      await once(child.stdout, "data");
      const startedAt = performance.now();
      process.kill(child.pid!, "SIGINT"); // child.kill() makes Deno report a signal as the status
      assert.equal((await finished).status, 130);
      assert(performance.now() - startedAt < 2000);
    });
  });
});
