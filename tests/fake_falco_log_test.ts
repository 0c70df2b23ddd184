/** What Falco's log says of its gRPC server, and what becomes of alerts meanwhile. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { FakeFalcoConfigOptions } from "../harness/falco_config/fake_falco_config_options.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { alerts, BareClient, isSettled, rules } from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

const isPosix = process.platform !== "win32";
const STOPPING =
  "Shutting down gRPC server. Waiting until external connections are closed by clients";
const STOPPED = [
  "Waiting for the gRPC threads to complete",
  "Draining all the remaining gRPC events",
  "Shutting down gRPC server complete",
];

let folder: TempFolder;
let certificates: Certificates;
let certs: string;
before(async () => {
  folder = await makeTempFolder();
  certs = join(folder.path, "certs");
  certificates = await makeCertificates({ broken: ["expired-client"] });
  await writeCertificates(certs, certificates);
});
after(() => folder.remove());
let count = 0;
const newPath = (name = "file"): string => join(folder.path, `${name}-${count++}`);

/** Starts a fake whose log is collected, and ends it whatever the test does. */
async function withFake(
  source: string,
  test: (fake: FakeFalco, log: () => string[]) => Promise<void>,
  options: FakeFalcoConfigOptions = {},
): Promise<void> {
  let text = "";
  const fake = await FakeFalco.fromConfig(source, {
    stdout: () => {},
    stderr: (bytes) => void (text += Buffer.from(bytes).toString()),
    env: {},
    ...options,
  });
  const log = (): string[] =>
    text.trimEnd().split("\n").map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000: /, "")
    );
  try {
    await test(fake, log);
  } finally {
    await fake.kill();
  }
}

const config = (grpc: string, more = ""): string =>
  `log_stderr: true\ntime_format_iso_8601: true\ngrpc: { enabled: true, ${grpc} }\n${more}`;
const unix = (path: string, more?: string): string =>
  config(`bind_address: "unix://${path}"`, more);
const tls = (address: string, files: { [key: string]: string } = {}): string => {
  const all = {
    private_key: `${certs}/server.key`,
    cert_chain: `${certs}/server.crt`,
    root_certs: `${certs}/ca.crt`,
    ...files,
  };
  const keys = Object.entries(all).map(([key, path]) => `${key}: "${path}"`);
  return config([`bind_address: "${address}"`, ...keys].join(", "));
};

describe("The log of a fake Falco that stops", { skip: !isPosix }, () => {
  it("says that it waits for its clients, and the rest when they have gone", () =>
    withFake(unix(newPath("sock")), async (fake, log) => {
      const client = new BareClient(fake);
      try {
        const sub = await client.sub(1);
        await fake.waitForSubscriber();
        const stopped = fake.stop();
        await until("it waits", () => log().at(-1) === STOPPING);
        assert.equal(await isSettled(stopped), false);
        assert.equal(log().at(-1), STOPPING);
        sub.request();
        await sub.end();
        await within("the end", stopped);
        assert.deepEqual(log().slice(-4), [STOPPING, ...STOPPED]);
      } finally {
        await client.close();
      }
    }));

  it("says nothing more once it is killed", () =>
    withFake(unix(newPath("sock")), async (fake, log) => {
      const client = new BareClient(fake);
      try {
        await client.sub(1);
        await fake.waitForSubscriber();
        const stopped = fake.stop();
        await until("it waits", () => log().at(-1) === STOPPING);
        await fake.kill();
        await within("the end", stopped);
        assert.equal(log().at(-1), STOPPING);
      } finally {
        await client.close();
      }
    }));

  it("says nothing of calls, at level debug either", () =>
    withFake(unix(newPath("sock"), "log_level: debug\n"), async (fake, log) => {
      const before = log();
      const client = new BareClient(fake);
      try {
        fake.push(...alerts(1, 3));
        assert.deepEqual(await client.get(), rules(1, 3));
        await (await client.call("no/method")).end();
        assert.deepEqual(log(), before);
      } finally {
        await client.close();
      }
    }));
});

describe("A restart of a fake Falco that an idle sub holds up", { skip: !isPosix }, () => {
  it("raises nothing until that sub has ended, and all of it then, with the new file", async () => {
    const [path, sock, first, second] = [newPath("yaml"), newPath("sock"), newPath(), newPath()];
    const write = (file: string) =>
      writeFileSync(path, unix(sock, `file_output: { enabled: true, filename: ${file} }\n`));
    write(first);
    await withFake(path, async (fake, log) => {
      const client = new BareClient(fake);
      const other = new BareClient(fake);
      try {
        const sub = await client.sub(1);
        await fake.waitForSubscriber();
        write(second);
        const before = log().length;
        const reloaded = fake.reload();
        await until("it waits", () => log().at(-1) === STOPPING);
        fake.push(...alerts(1, 2));
        await fake.outputs!.idle();
        assert.equal(existsSync(first) || existsSync(second), false);
        assert.equal(fake.queueDepth, 0);
        sub.request();
        await sub.end();
        assert.deepEqual([sub.status, sub.here()], [0, []]);
        await within("the restart", reloaded);
        const lines = log().slice(before).filter((line) => !/^(Falco version| {3})/.test(line));
        assert.deepEqual(lines, [
          "SIGHUP received, restarting...",
          "Events detected: 0",
          "Rule counts by severity:",
          "Triggered rules by rule name:",
          STOPPING,
          ...STOPPED,
          "Using deprecated gRPC server (deprecated as consequence of gRPC output deprecation).",
          "Using deprecated gRPC output. Please consider using other outputs.",
          "Falco initialized with configuration files:",
          `gRPC server threadiness equals to ${(await import("node:os")).availableParallelism()}`,
          `Starting gRPC server at unix://${sock}`,
        ]);
        assert.equal(existsSync(first), false);
        assert.equal(readFileSync(second, "utf8").trimEnd().split("\n").length, 2);
        assert.deepEqual(await other.get(), rules(1, 2));
      } finally {
        await client.close();
        await other.close();
      }
    });
  });

  it("comes to nothing at SIGTERM, with one summary and nothing raised", async () => {
    const [sock, file] = [newPath("sock"), newPath()];
    const text = unix(sock, `file_output: { enabled: true, filename: ${file} }\n`);
    await withFake(text, async (fake, log) => {
      const client = new BareClient(fake);
      try {
        const sub = await client.sub(1);
        await fake.waitForSubscriber();
        const reloaded = assert.rejects(fake.reload(), { name: "FalcoClosedError" });
        await until("it waits", () => log().at(-1) === STOPPING);
        fake.push(...alerts(1));
        const stopped = fake.stop();
        sub.cancel();
        await within("the end", stopped);
        await reloaded;
        const lines = log();
        assert.equal(lines.filter((line) => line === "Events detected: 0").length, 1);
        assert.deepEqual(lines.slice(-4), ["SIGINT received, exiting...", ...STOPPED]);
        assert.equal(existsSync(file), false);
      } finally {
        await client.close();
      }
    });
  });
});

describe("The log of a fake Falco that TLS clients cannot get into", { skip: !isPosix }, () => {
  const line = (reason: string): string =>
    `grpc: Handshake failed with fatal error SSL_ERROR_SSL: ${reason}.`;
  const missing = line("error:0A0000C7:SSL routines::peer did not return a certificate");
  const untrusted = line("error:0A000086:SSL routines::certificate verify failed");
  const plain = line("error:0A00010B:SSL routines::wrong version number");

  /** Shakes hands and reads until the server closes. */
  async function knock(fake: FakeFalco, options: ConnectionOptions): Promise<void> {
    const socket = connectTls({
      host: "127.0.0.1",
      port: Number(new URL(fake.address).port),
      servername: "localhost",
      ca: certificates.ca,
      ALPNProtocols: ["h2"],
      ...options,
    });
    socket.on("error", () => {});
    socket.resume();
    await within("the close", new Promise<void>((resolve) => socket.on("close", () => resolve())));
  }

  it("names what gRPC names: no certificate, one that is not trusted, no TLS", async () => {
    const others = await makeCertificates();
    await withFake(tls("127.0.0.1:0"), async (fake, log) => {
      const start = log().length;
      const heard = (lines: string[]) =>
        until("it is logged", () => log().length - start >= lines.length)
          .then(() => assert.deepEqual(log().slice(start), lines));
      await knock(fake, {});
      await heard([missing]);
      await knock(fake, others.client);
      await heard([missing, untrusted]);
      await knock(fake, certificates.client); // it has expired
      await heard([missing, untrusted, untrusted]);
      const socket = connectTcp(Number(new URL(fake.address).port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      await heard([missing, untrusted, untrusted, plain]);
      socket.destroy();
      const violations = fake.violations();
      assert.deepEqual(violations.map(({ kind, count }) => [kind, count]), [
        ["handshake-failed", 4],
      ]);
      assert.equal(violations[0]!.message, "A client showed no certificate");
    });
  });

  it("is that of a server which trusts nobody if root_certs is missing", async () => {
    const good = await makeCertificates();
    await writeCertificates(join(folder.path, "good"), good);
    const files = {
      private_key: `${folder.path}/good/server.key`,
      cert_chain: `${folder.path}/good/server.crt`,
      root_certs: "/no/such/ca.crt",
    };
    await withFake(tls("127.0.0.1:0", files), async (fake, log) => {
      assert.match(fake.address, /^https:/);
      assert.equal(log().includes("Error starting gRPC server"), false);
      await knock(fake, { ca: good.ca, ...good.client });
      await until("it is logged", () => log().at(-1) === untrusted);
      assert.equal(fake.requests.length, 0);
    });
  });
});

describe("grpc.bind_address", { skip: !isPosix }, () => {
  for (const address of ["127.0.0.1:0", "localhost:0", "0.0.0.0:0", "dns:///localhost:0"]) {
    it(`serves mutual TLS at ${address}`, async () => {
      const good = await makeCertificates();
      await writeCertificates(certs, good);
      await withFake(tls(address), async (fake) => {
        const { ca, client } = good;
        const falco = connect(fake.address, { tls: { ca, ...client } });
        try {
          assert.equal((await falco.version()).version, "0.43.1");
        } finally {
          await falco.close();
        }
      });
    });
  }

  for (
    const address of [":5069", "5068", "ipv4:127.0.0.1:5061", "/tmp/x.sock", "nonsense", "h:70000"]
  ) {
    it(`${address} is none, though the certificates are good`, () =>
      withFake(`${tls(address)}stdout_output: { enabled: true }\n`, (fake, log) => {
        assert.equal(fake.address, "");
        assert.deepEqual(log().slice(-2), [
          `grpc: no address to listen at: ${address}`,
          "Error starting gRPC server",
        ]);
        return Promise.resolve();
      }));
  }

  for (
    const [name, files, logged] of [
      ["no certificate", { cert_chain: "/no" }, "grpc: Invalid cert chain file."],
      ["a certificate that is none", { cert_chain: "NONE" }, "grpc: Invalid cert chain file."],
      ["no key", { private_key: "/no" }, "grpc: Invalid private key."],
      ["a key of another certificate", { private_key: "OTHER" }, "grpc: Invalid private key."],
      ["a key that is none", { private_key: "NONE" }, "grpc: Invalid private key."],
    ] as const
  ) {
    it(`is not listened at with ${name}`, async () => {
      const other = newPath("other");
      await writeCertificates(other, await makeCertificates());
      const none = newPath("none");
      writeFileSync(none, "no key at all\n");
      const paths = Object.fromEntries(
        Object.entries(files).map(([key, path]) => [
          key,
          path === "OTHER" ? `${other}/server.key` : path === "NONE" ? none : path,
        ]),
      );
      await withFake(tls("127.0.0.1:0", paths), (fake, log) => {
        assert.equal(fake.address, "");
        assert.deepEqual(log().slice(-2), [logged, "Error starting gRPC server"]);
        return Promise.resolve();
      });
    });
  }
});

describe("The folder of a fake Falco's socket", { skip: !isPosix }, () => {
  it("has to be there before 0.33: without it there is no gRPC", async () => {
    const sock = join(newPath("folder"), "falco.sock");
    await withFake(unix(sock), (fake, log) => {
      assert.equal(fake.address, "");
      assert.equal(log().at(-1), "Error starting gRPC server");
      assert.equal(existsSync(sock), false);
      return Promise.resolve();
    }, { falcoVersion: "0.32.2" });
    await assert.rejects(
      FakeFalco.start({ falcoVersion: "0.32.2", listen: `unix://${sock}` }),
      { message: /: the folder of the socket is missing; Falco makes it since 0\.33\.0$/ },
    );
    await withFake(unix(sock), (fake) => {
      assert.equal(fake.address, `unix://${sock}`);
      return Promise.resolve();
    }, { falcoVersion: "0.33.0" });
  });

  it("ends Falco if it cannot be made", async () => {
    const file = newPath("in-the-way");
    writeFileSync(file, "");
    const text = unix(`${file}/run/falco.sock`);
    await assert.rejects(FakeFalco.fromConfig(text, { stderr: () => {}, env: {} }), {
      name: "FalcoConfigError",
      message: `falco.yaml: ${file}/run: the folder of the socket cannot be made`,
    });
  });
});

describe("A gRPC client that does not read", { skip: !isPosix }, () => {
  it("holds up no other output", async () => {
    const [sock, file] = [newPath("sock"), newPath()];
    const text = unix(sock, `file_output: { enabled: true, filename: ${file} }\n`);
    await withFake(text, async (fake) => {
      const client = new BareClient(fake);
      try {
        const sub = await client.sub();
        sub.pause();
        sub.request();
        await fake.waitForSubscriber();
        for (let number = 1; number <= 3_000; number++) fake.push(buildAlert());
        await within("the outputs", fake.outputs!.idle());
        assert.equal(readFileSync(file, "utf8").trimEnd().split("\n").length, 3_000);
        sub.cancel();
      } finally {
        await client.close();
      }
    });
  });
});
