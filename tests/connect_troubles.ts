/** What can be wrong between a client and a Falco, at real sockets, and what is to be said of it. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { createServer as createNetServer } from "node:net";
import type { Server } from "node:net";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { mayOpenAll, withServer } from "./client_probes.ts";
import { followRecipe, skipWithoutOpenssl } from "./openssl.ts";
import { commandWords, inWords } from "./option_words.ts";
import { runChild } from "./run_child.ts";
import { runCli } from "./run_cli.ts";
import type { Finished } from "./run_cli.ts";

const DAY_MS = 86_400_000;
const OF_RUNTIME = "[^()]+(?:\\([^()]*\\))?[^()]*";

let folder: TempFolder;
let certificates: Certificates;

async function prepareTroubles(): Promise<void> {
  folder = await makeTempFolder();
  certificates = await makeCertificates({
    keepAuthorityKey: true,
    now: Date.now() - 30 * DAY_MS,
  });
  await write("good", certificates);
}

/** Certificates of the same authority. */
const more = (options: Parameters<typeof makeCertificates>[0]): Promise<Certificates> =>
  makeCertificates({ authority: { cert: certificates.ca, key: certificates.caKey! }, ...options });

async function write(name: string, certificates: Certificates): Promise<string> {
  const path = join(folder.path, name);
  await writeCertificates(path, certificates);
  return path;
}

/** What is wrong, set up for as long as the probe runs. */
type Trouble = (probe: (where: Where) => Promise<void>) => Promise<void>;

/** Where there is trouble. */
export interface Where {
  readonly address: string;
  /** The folder with the client's certificates, for TLS. */
  readonly certs?: string;
  readonly serverName?: string;
}

/** Something that is wrong, and what is said of it. */
export interface TroubleCase {
  readonly name: string;
  readonly trouble: Trouble;
  /** What the library and `tail` say after `Cannot connect to ADDRESS: `, each with its own words. */
  readonly sentence: string;
  /** The check of `doctor` that fails, and what it says. */
  readonly doctor: string;
  readonly skip?: string | false;
  /** It takes as long as somebody waits for a connection. */
  readonly isSlow?: boolean;
  /** The command is to run as another user than the one of the socket. */
  readonly asOther?: boolean;
}

const fakeFor = (
  server: () => Promise<Certificates>,
  where: () => Promise<Omit<Where, "address">>,
): Trouble =>
async (probe) => {
  const fake = await FakeFalco.start({ tls: await server() });
  try {
    await probe({ address: fake.address, ...await where() });
  } finally {
    await fake[Symbol.asyncDispose]();
  }
};

const good = (): Promise<Certificates> => Promise.resolve(certificates);
const goodCerts = (): Promise<{ certs: string }> =>
  Promise.resolve({ certs: join(folder.path, "good") });

const serverFor = (
  make: () => Server | Http2Server | Http2SecureServer,
  kind: "unix" | "tls",
): Trouble =>
(probe) =>
  withServer(
    make(),
    kind,
    async (address) => await probe({ address, ...(kind === "tls" ? await goodCerts() : {}) }),
  );

/** Files of the client of which one is another. */
const withFile = (name: string, file: string, text: () => string) => async () => {
  const certs = await write(name, certificates);
  writeFileSync(join(certs, file), text());
  return { certs };
};

const enable = "Check that Falco runs with grpc.enabled and this grpc.bind_address";
const port = "Check that this is the port of grpc.bind_address";
/** What `doctor` says where there is no Falco with gRPC. */
export const noGrpc = 'Falco 0.44 and later have no gRPC: look at "falco --version". Before, set ' +
  "grpc.enabled and grpc_output.enabled to true in falco.yaml and restart Falco";
const bad = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";

/** One for each thing that can be wrong before there is a connection. */
const troubles: readonly TroubleCase[] = [
  {
    name: "there is no socket",
    trouble: (probe) => probe({ address: `unix://${folder.path}/none.sock` }),
    sentence: `no such file. ${enable}; before 0.33 its default was /var/run/falco.sock`,
    doctor: `socket: FOLDER/none.sock: no such file. ${noGrpc}`,
  },
  {
    name: "a killed Falco has left its socket",
    trouble: async (probe) => {
      const fake = await FakeFalco.start({ listen: `${folder.path}/stale.sock` });
      await fake.kill();
      await probe({ address: `unix://${folder.path}/stale.sock` });
    },
    sentence:
      "nobody listens on this socket. Falco was killed and left the file behind; start it again",
    doctor: "listening: nobody listens: Falco was killed and left the file behind. Start it. " +
      noGrpc,
  },
  {
    name: "nobody listens on the port",
    trouble: async (probe) => {
      let free = "";
      await withServer(createNetServer(), "tls", (address) => {
        free = address;
        return Promise.resolve();
      });
      await probe({ address: free, ...await goodCerts() });
    },
    sentence: `nobody listens on this port. ${enable}`,
    doctor: `listening: nobody listens on this port. ${noGrpc}`,
  },
  {
    name: "nobody answers",
    isSlow: true,
    trouble: serverFor(() => createNetServer((socket) => socket.resume()), "unix"),
    sentence: "no answer in time. Check the address, firewalls, and that Falco is alive",
    doctor:
      "version: Cannot connect to ADDRESS: no answer in time. Check the address, firewalls, and " +
      "that Falco is alive",
  },
  {
    name: "the certificate is for another name",
    trouble: fakeFor(good, async () => ({ ...await goodCerts(), serverName: "falco.test" })),
    sentence:
      `Falco's certificate is not valid for the name "falco.test". Make one that lists it ` +
      "as subjectAltName, or set {serverName} to a name that it lists",
    doctor: 'server-name: not valid for "falco.test" (SAN: DNS:localhost, ANY). Make one that ' +
      "lists the name as subjectAltName, or give a name that it lists with --server-name",
  },
  {
    name: "the certificate lists no name at all",
    skip: skipWithoutOpenssl,
    trouble: async (probe) => {
      const recipe = followRecipe(folder.path);
      const server = createSecureServer({ ...recipe.server });
      const certs = await write("recipe", { ...certificates, ca: recipe.ca });
      await withServer(server, "tls", async (address) => {
        await probe({ address: address.replace("localhost", "127.0.0.1"), certs });
      });
    },
    sentence: `Falco's certificate is not valid for the name "127.0.0.1". Make one that lists it ` +
      "as subjectAltName, or set {serverName} to a name that it lists",
    doctor:
      'server-name: not valid for "127.0.0.1" (SAN: none, subject ANYCN=localhost). Make one ' +
      "that lists the name as subjectAltName, or give a name that it lists with --server-name",
  },
  {
    name: "another authority signed the certificate",
    trouble: fakeFor(good, async () => {
      const other = await makeCertificates();
      return { certs: await write("unknown", { ...certificates, ca: other.ca }) };
    }),
    sentence: `Falco's certificate is not signed by the authority in {ca} (ANY). Pass the ` +
      "authority that signed grpc.cert_chain, and check that neither has expired",
    doctor: "server-chain: not signed by the authority in FOLDER/unknown/ca.crt (ANY). Give the " +
      "authority that signed grpc.cert_chain with --ca",
  },
  {
    name: "Falco's certificate has expired",
    trouble: fakeFor(() => more({ broken: ["expired"] }), goodCerts),
    sentence: "Falco's certificate has expired (valid to DATE). Renew it in grpc.cert_chain and " +
      "restart Falco, which reads it only when it starts",
    doctor: "server-dates: the server's has expired on DAY. Renew it",
  },
  {
    name: "Falco's certificate is not valid yet",
    trouble: fakeFor(() => more({ now: Date.now() + 5 * DAY_MS }), goodCerts),
    sentence:
      "Falco's certificate is not valid yet (valid from DATE). Check the clocks of both machines",
    doctor: "server-dates: the server's is not valid before DAY. Check the clocks of both machines",
  },
  {
    name: "the client's certificate is of another authority",
    trouble: fakeFor(good, async () => {
      const { client } = await makeCertificates();
      return { certs: await write("stranger", { ...certificates, client }) };
    }),
    sentence: "TLS failed (ANY). Check that {cert} is signed by the authority in Falco's " +
      "grpc.root_certs, that {key} belongs to it, and that this is the port of grpc.bind_address",
    doctor:
      "client-certificate: not accepted: the server hung up once it had seen it (ANY). Have " +
      "it signed by the authority in Falco's grpc.root_certs, and check its dates",
  },
  {
    name: "the client's certificate has expired",
    trouble: fakeFor(good, async () => ({
      certs: await write("late", await more({ broken: ["expired-client"] })),
    })),
    sentence: "the certificate in {cert} has expired (valid to DATE). Renew it",
    doctor: "certificates: the client's has expired on DAY. Renew it",
  },
  {
    name: "the port speaks no TLS",
    trouble: serverFor(() => createHttp2Server(), "tls"),
    sentence: `the other side does not speak TLS (ANY). ${port}`,
    doctor: `tls: the other side does not speak TLS (ANY). ${port}`,
  },
  {
    name: "the socket speaks TLS",
    trouble: serverFor(() => createTlsServer({ ...certificates.server }), "unix"),
    sentence: "the other side does not answer as a gRPC server does (ANY). Over a unix socket " +
      "Falco speaks plain HTTP/2",
    doctor: "version: Cannot connect to ADDRESS: the other side does not answer as a gRPC server " +
      "does (ANY). Over a unix socket Falco speaks plain HTTP/2",
  },
  {
    name: "the port agrees on no protocol",
    trouble: serverFor(() => createTlsServer({ ...certificates.server }), "tls"),
    sentence: `the other side speaks TLS, but not HTTP/2 (ALPN protocol: none). ${port}`,
    doctor: "alpn: no protocol is agreed on. gRPC needs h2: check that this is the port of " +
      "grpc.bind_address, with no proxy before it",
  },
  {
    name: "a file is not there",
    trouble: fakeFor(good, () => {
      mkdirSync(join(folder.path, "empty"));
      return Promise.resolve({ certs: join(folder.path, "empty") });
    }),
    sentence:
      'the file "FOLDER/empty/ca.crt" of the option {ca option} cannot be read (ANY). Check ' +
      "the path and the permissions",
    doctor: 'certificates: the file "FOLDER/empty/ca.crt" of the option "--certs" cannot be read ' +
      "(ANY). Check the path and the permissions",
  },
  {
    name: "a file is no PEM",
    trouble: fakeFor(good, withFile("der", "client.crt", () => "0\x82\x03\x1f")),
    sentence: 'the file "FOLDER/der/client.crt" of the option {cert option} holds no PEM block. ' +
      "Convert it with openssl x509 or openssl pkey",
    doctor: 'certificates: the file "FOLDER/der/client.crt" of the option "--certs" holds no PEM ' +
      "block. Convert it with openssl x509 or openssl pkey",
  },
  {
    name: "a file is a broken PEM",
    trouble: fakeFor(good, withFile("broken", "ca.crt", () => certificates.ca + bad)),
    sentence: 'the file "FOLDER/broken/ca.crt" of the option {ca option} is a broken PEM: ' +
      "CERTIFICATE 2 of 2 cannot be read (ANY). Copy it again from where it was made",
    doctor:
      'certificates: the file "FOLDER/broken/ca.crt" of the option "--certs" is a broken PEM: ' +
      "CERTIFICATE 2 of 2 cannot be read (ANY). Copy it again from where it was made",
  },
  {
    name: "certificate and key were swapped",
    trouble: fakeFor(good, withFile("swapped", "client.crt", () => certificates.client.key)),
    sentence: 'the file "FOLDER/swapped/client.crt" of the option {cert option} holds no ' +
      "certificate, but PRIVATE KEY. Pass the certificate",
    doctor: 'certificates: the file "FOLDER/swapped/client.crt" of the option "--certs" holds no ' +
      "certificate, but PRIVATE KEY. Pass the certificate",
  },
  {
    name: "the socket belongs to another user",
    asOther: true,
    skip: await mayOpenAll() ? false : "only root can become somebody else",
    trouble: async (probe) => {
      const fake = await FakeFalco.start();
      try {
        const path = fake.address.slice("unix://".length);
        chmodSync(path.slice(0, path.lastIndexOf("/")), 0o755);
        chmodSync(path, 0o700);
        await probe({ address: fake.address });
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    },
    sentence: "permission denied. Falco creates the socket for its own user; run as that user or " +
      "change its mode",
    doctor: "listening: permission denied. Connecting needs write permission on the socket: run " +
      "as its owner, or change its mode",
  },
];

/**
 * Registers a test for each trouble. Those that take long begin before all others and are waited for
 * behind them, so that their time passes meanwhile.
 *
 * @param check Runs a command where there is trouble, and looks at what it says.
 */
export function testTroubles(check: (one: TroubleCase, where: Where) => Promise<void>): void {
  const run = (one: TroubleCase): Promise<void> => one.trouble((where) => check(one, where));
  const slow = troubles.filter(({ isSlow = false }) => isSlow);
  const begun = new Map<TroubleCase, Promise<void>>();
  before(async () => {
    await prepareTroubles();
    for (const one of slow) {
      const running = run(one);
      running.catch(() => {}); // told by its test
      begun.set(one, running);
    }
  });
  after(() => folder.remove());
  for (const one of [...troubles.filter(({ isSlow = false }) => !isSlow), ...slow]) {
    const { name, skip = false } = one;
    it(name, { timeout: 120_000, skip }, () => begun.get(one) ?? run(one));
  }
}

/** Runs a test at the socket of a server that knows none of Falco's services. */
export function withoutServices(run: (address: string) => Promise<void>): Promise<void> {
  const server = createHttp2Server((_, response) => {
    response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "12" });
    response.end();
  });
  return withServer(server, "unix", run);
}

/** Runs the command of a trouble to its end. */
export async function runTroubled(
  { asOther = false }: TroubleCase,
  args: readonly string[],
): Promise<Finished> {
  return asOther
    ? await runChild("other_user_cli.ts", { args: [...args], asOther })
    : await runCli(args);
}

/**
 * A sentence as a pattern: ANY is the runtime's word, in brackets or before more of ours; options are
 * as in `inWords`.
 */
export function pattern(sentence: string, { address }: Where, words = commandWords): RegExp {
  const escaped = inWords(sentence, words).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const filled = escaped
    .replaceAll("ANY", OF_RUNTIME)
    .replaceAll("FOLDER", folder.path)
    .replaceAll("ADDRESS", address)
    .replaceAll("DATE", "20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ")
    .replaceAll("DAY", "20\\d\\d-\\d\\d-\\d\\d");
  return new RegExp(`^${filled}$`);
}

/** The arguments of a command that say where. */
export function argumentsFor({ address, certs, serverName }: Where): string[] {
  return [
    address,
    ...(certs === undefined ? [] : ["--certs", certs]),
    ...(serverName === undefined ? [] : ["--server-name", serverName]),
  ];
}
