/** What every client has to do with a fake Falco. @module */
import { join } from "node:path";
import type { Alert } from "../../lib/alert/alert.ts";
import { makeCertificates, writeCertificates } from "../../harness/certificates.ts";
import type { Certificates } from "../../harness/certificates.ts";
import type { Host } from "./host.ts";
import { ownAlerts } from "./own_client.ts";
import type { Given } from "./own_client.ts";
import { equal, RunningClient } from "./run_client.ts";

/** gRPC's statuses, as the specification of Falco's API lists where each is met. */
const OK = 0;
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

/** Where a check takes place. */
export interface Place {
  readonly host: Host;
  /** The client's program and its first arguments. */
  readonly command: readonly string[];
  /** A fresh folder. */
  readonly folder: string;
  readonly wire: "unix" | "tls";
  /** As in `InteropClient`. */
  readonly ownStatuses?: { readonly deadline: number; readonly lost: number };
}

/** A check: its name, and what it does; it throws if something is not as it should be. */
export interface Check {
  readonly name: string;
  /** Only over this wire. */
  readonly wire?: "unix" | "tls";
  /** Only for clients of the API of 0.18 to 0.23. */
  readonly legacy?: true;
  run(place: Place): Promise<void>;
}

/** A fake that has been started, and the way to a client for it. */
class Scene {
  readonly #place: Place;
  readonly #certificates: Certificates | undefined;
  #address = "";

  private constructor(place: Place, certificates: Certificates | undefined) {
    this.#place = place;
    this.#certificates = certificates;
  }

  static async open(place: Place, falcoVersion = "0.43.1"): Promise<Scene> {
    const certificates = place.wire === "tls" ? await makeCertificates() : undefined;
    const scene = new Scene(place, certificates);
    if (certificates !== undefined) {
      await writeCertificates(join(place.folder, "certs"), certificates);
    }
    const listen = place.wire === "tls"
      ? "localhost:0"
      : `unix://${join(place.folder, "falco.sock")}`;
    await scene.start(listen, falcoVersion);
    return scene;
  }

  /** Starts a fake, or another one at the same place. */
  async start(listen = this.#address.replace("https://", ""), falcoVersion = "0.43.1") {
    const { address } = await this.#place.host.do({
      do: "start",
      falcoVersion,
      listen,
      ...(this.#certificates === undefined ? {} : { certificates: this.#certificates }),
    });
    this.#address = address!;
  }

  /** Runs the client. */
  client(mode: string, count?: number, certs = join(this.#place.folder, "certs")): RunningClient {
    const folder = this.#place.wire === "tls" ? certs : "-";
    const words = [this.#address, folder, mode, ...(count === undefined ? [] : [String(count)])];
    return new RunningClient([...this.#place.command, ...words]);
  }

  async give(...given: readonly Given[]): Promise<void> {
    for (const one of given) {
      if ("scenario" in one) await this.#place.host.do({ do: "replay", scenario: one.scenario });
      else await this.#place.host.do({ do: "push", alerts: one.alerts });
    }
  }
}

/** Hostile text, a cluster's audit log, an emergency. */
const incidents: readonly Given[] = [
  { scenario: "credentialTheft" },
  { scenario: "k8sAudit" },
  { scenario: "containerEscape" },
];

/** Alerts that are told apart by their rules. */
const some = (...rules: readonly string[]): Given => ({ alerts: rules.map((rule) => ({ rule })) });

/** Falco's own test: one rule, eight times, in a capture of 2016. */
const opened: Partial<Alert> = {
  time: { seconds: 1470327477, nanos: 881781397 },
  priority: "warning",
  rule: "open_from_cat",
  output: "2016-08-04T16:17:57.881781397+0000: Warning An open was seen (command=cat /dev/null)",
  outputFields: { "proc.cmdline": "cat /dev/null" },
  hostname: "falco-fake",
  tags: ["filesystem", "process", "testing"],
};

/** Runs a client to its end whatever comes of it. */
async function withClient(
  client: RunningClient,
  body: (client: RunningClient) => Promise<void>,
): Promise<void> {
  try {
    await body(client);
  } finally {
    await client.stop();
  }
}

/** Runs a client that ends by itself: how, and with which alerts. */
function ends(
  client: RunningClient,
  status: number,
  alerts: readonly unknown[] = [],
): Promise<void> {
  return withClient(client, async () => {
    await client.over();
    equal("alerts", client.alerts, alerts);
    equal(`status (${client.stderr.slice(-200).trim()})`, client.status, status);
  });
}

/** All checks. */
export const checks: readonly Check[] = [
  {
    name: "version",
    async run(place) {
      const client = (await Scene.open(place)).client("version");
      await ends(client, OK);
      equal("version", client.lines[0], { version: "0.43.1" });
    },
  },
  {
    name: "get: the alerts that our own client gets, in order",
    async run(place) {
      const scene = await Scene.open(place);
      await scene.give(...incidents);
      await ends(scene.client("get"), OK, await ownAlerts(incidents, "0.43.1"));
    },
  },
  {
    name: "get: an empty queue",
    async run(place) {
      await ends((await Scene.open(place)).client("get"), OK);
    },
  },
  {
    name: "sub: the alerts that our own client gets, in order; then cancel",
    async run(place) {
      const scene = await Scene.open(place);
      await scene.give(...incidents);
      const expected = await ownAlerts(incidents, "0.43.1");
      await ends(scene.client("sub", expected.length), CANCELLED, expected);
      equal("the queue", await place.host.do({ do: "depth" }), { depth: 0 });
    },
  },
  {
    name: "sub: alerts that come after the first request",
    async run(place) {
      const scene = await Scene.open(place);
      await withClient(scene.client("sub", 4), async (client) => {
        await place.host.do({ do: "awaitSubscriber" });
        await scene.give(some("a1", "a2"));
        await client.until("two alerts", () => client.alerts.length === 2);
        await scene.give(some("a3", "a4"));
        await client.over();
        equal("rules", client.alerts.map(({ rule }) => rule), ["a1", "a2", "a3", "a4"]);
        equal("status", client.status, CANCELLED);
      });
    },
  },
  {
    name: "sub: the client's deadline on an idle call",
    async run(place) {
      const { deadline = DEADLINE_EXCEEDED } = place.ownStatuses ?? {};
      await ends((await Scene.open(place)).client("idle"), deadline);
    },
  },
  {
    name: "restart with SIGHUP: the call ends with OK, and the next one goes on",
    async run(place) {
      const scene = await Scene.open(place);
      await withClient(scene.client("watch", 4), async (client) => {
        await scene.give(some("a1", "a2"));
        await client.until("two alerts", () => client.alerts.length === 2);
        await place.host.do({ do: "reload" });
        await client.until("the end of the call", () => client.ends.length > 0);
        await scene.give(some("a3", "a4"));
        await client.over();
        equal("rules", client.alerts.map(({ rule }) => rule), ["a1", "a2", "a3", "a4"]);
        equal("how the first call ended", client.ends[0], OK);
        equal("status", client.status, CANCELLED);
      });
    },
  },
  {
    name: "kill and a new start: the call is unavailable, and a later one goes on",
    async run(place) {
      const { lost = UNAVAILABLE } = place.ownStatuses ?? {};
      const scene = await Scene.open(place);
      await withClient(scene.client("watch", 4), async (client) => {
        await scene.give(some("a1", "a2"));
        await client.until("two alerts", () => client.alerts.length === 2);
        await place.host.do({ do: "kill" });
        await client.until("the end of the call", () => client.ends.length > 0);
        await scene.start();
        await scene.give(some("a3", "a4"));
        await client.over();
        equal("rules", client.alerts.map(({ rule }) => rule), ["a1", "a2", "a3", "a4"]);
        const [first, ...later] = client.ends;
        equal("how the first call ended", first, lost);
        equal("how others ended", later.filter((status) => status !== UNAVAILABLE), []);
        equal("status", client.status, CANCELLED);
      });
    },
  },
  {
    name: "a Falco of before 0.24: get is unimplemented",
    async run(place) {
      await ends((await Scene.open(place, "0.20.0")).client("get"), UNIMPLEMENTED);
    },
  },
  {
    name: "another authority's certificates: unavailable",
    wire: "tls",
    async run(place) {
      const scene = await Scene.open(place);
      const { client } = await makeCertificates();
      const { ca, server } = await makeCertificates();
      const strange = join(place.folder, "strange");
      await writeCertificates(strange, { ca, server, client });
      await ends(scene.client("version", undefined, strange), UNAVAILABLE);
    },
  },
  {
    name: "Falco's own test with client-go: eight warnings of open_from_cat",
    wire: "unix",
    async run(place) {
      const scene = await Scene.open(place, "0.33.0");
      const given: Given = { alerts: Array.from({ length: 8 }, () => opened) };
      await withClient(scene.client("outputs-watch", 8), async (client) => {
        await scene.give(given);
        await client.over();
        equal("alerts", client.alerts, await ownAlerts([given], "0.33.0"));
        for (const { priority, rule } of client.alerts) {
          equal("priority and rule", [priority, rule], [4, "open_from_cat"]);
        }
        equal("status", client.status, CANCELLED);
      });
    },
  },
  {
    name: "0.20.0: subscribe drains and ends with OK",
    legacy: true,
    async run(place) {
      const scene = await Scene.open(place, "0.20.0");
      await scene.give(...incidents);
      await ends(scene.client("subscribe"), OK, await ownAlerts(incidents, "0.20.0"));
    },
  },
  {
    name: "0.20.0: subscribe with keepalive gets alerts as they come; then cancel",
    legacy: true,
    async run(place) {
      const scene = await Scene.open(place, "0.20.0");
      await withClient(scene.client("subscribe-keepalive", 3), async (client) => {
        await place.host.do({ do: "awaitSubscriber" });
        for (const rule of ["a1", "a2", "a3"]) {
          const { length } = client.alerts;
          await scene.give(some(rule));
          await client.until("the alert", () => client.alerts.length > length);
        }
        await client.over();
        equal("alerts", client.alerts, await ownAlerts([some("a1", "a2", "a3")], "0.20.0"));
        equal("status", client.status, CANCELLED);
      });
    },
  },
  {
    name: "0.20.0: version, and sub is unimplemented",
    legacy: true,
    async run(place) {
      const scene = await Scene.open(place, "0.20.0");
      const client = scene.client("version");
      await ends(client, OK);
      equal("version", client.lines[0], { version: "0.20.0" });
      await ends(scene.client("sub", 1), UNIMPLEMENTED);
    },
  },
];

/** Falco's own test with grpcurl, `grpc_unix_socket_outputs` of 0.33. */
export const grpcurlChecks: readonly Check[] = [
  {
    name: "Falco's own test with grpcurl: one alert of open_from_cat in text form",
    wire: "unix",
    async run({ host, command, folder }) {
      const path = join(folder, "falco.sock");
      await host.do({ do: "start", listen: `unix://${path}`, falcoVersion: "0.33.0" });
      await host.do({ do: "push", alerts: [opened] });
      const proto = new URL("../../proto", import.meta.url).pathname;
      const client = new RunningClient([
        ...command,
        ...["-format", "text", "-import-path", proto, "-proto", "outputs.proto"],
        ...["-plaintext", "-unix", path, "falco.outputs.service/get"],
      ], { json: false });
      await withClient(client, () => client.over());
      const text = client.stdout.replace(/\s+/g, " ").replaceAll(": ", ":");
      const time = "2016-08-04T16:17:57.881781397+0000";
      for (
        const part of [
          "seconds:1470327477 nanos:881781397",
          "priority:WARNING",
          'rule:"open_from_cat"',
          `output:"${time}:Warning An open was seen (command=cat /dev/null)"`,
          `key:"evt.time.iso8601" value:"${time}"`,
          'key:"proc.cmdline" value:"cat /dev/null"',
          "hostname:",
          'tags:"filesystem"',
          'tags:"process"',
          'tags:"testing"',
        ]
      ) {
        if (text.includes(part)) continue;
        throw new Error(`no ${part} in ${text.slice(0, 2000)} ${client.stderr}`);
      }
    },
  },
];

/** What openssl says of the certificates. */
export const opensslChecks: readonly Check[] = [
  {
    name: "openssl verify accepts both certificates, for their purposes and names",
    wire: "tls",
    async run({ command, folder }) {
      const certs = join(folder, "certs");
      await writeCertificates(certs, await makeCertificates());
      const file = (name: string) => join(certs, name);
      for (
        const args of [
          ["-purpose", "sslserver", "-verify_hostname", "localhost", file("server.crt")],
          ["-purpose", "sslserver", "-verify_ip", "127.0.0.1", file("server.crt")],
          ["-purpose", "sslclient", file("client.crt")],
        ]
      ) {
        const words = ["verify", "-x509_strict", "-CAfile", file("ca.crt"), ...args];
        const client = new RunningClient([...command, ...words], { json: false });
        await withClient(client, () => client.over());
        equal(`openssl ${words.join(" ")}`, client.stdout, `${args.at(-1)}: OK\n`);
      }
    },
  },
  ...(["tls1_2", "tls1_3"] as const).map((protocol): Check => ({
    name: `openssl s_client shakes hands over ${protocol}, and the certificate is good`,
    wire: "tls",
    async run({ host, command, folder }) {
      const certs = join(folder, "certs");
      const certificates = await makeCertificates();
      await writeCertificates(certs, certificates);
      const start = { do: "start", falcoVersion: "0.43.1", certificates } as const;
      const { address } = await host.do({ ...start, listen: "localhost:0" });
      const client = new RunningClient([
        ...command,
        ...["s_client", "-connect", address!.replace("https://", ""), `-${protocol}`],
        ...["-alpn", "h2", "-verify_return_error", "-verify_hostname", "localhost"],
        ...["-CAfile", join(certs, "ca.crt"), "-cert", join(certs, "client.crt")],
        ...["-key", join(certs, "client.key")],
      ], { json: false });
      await withClient(client, () => client.over());
      for (const part of ["Verify return code: 0 (ok)", "ALPN protocol: h2"]) {
        if (!client.stdout.includes(part)) {
          throw new Error(`no "${part}": ${client.stdout.slice(-600)} ${client.stderr}`);
        }
      }
    },
  })),
];
