import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { makeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { allBehaviours } from "../harness/contract/behaviours.ts";
import { contractBehaviours, runContract } from "../harness/contract/run_contract.ts";
import type { ContractReport, RunContractOptions } from "../harness/contract/run_contract.ts";
import type { ContractTarget } from "../harness/contract/contract_target.ts";
import { ContractScene } from "../harness/contract/contract_scene.ts";
import { Difference } from "../harness/contract/difference.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { systemClock } from "../lib/clock.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { FalcoConnectError, FalcoError } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";

import { within } from "./waits.ts";
import { deaf, empty, kind, mute } from "./wrong_falcos.ts";
import type { WrongFalco } from "./wrong_falcos.ts";

// The fake is in this process: a round trip shows what there is to see, and the rest is margin.
const quick: RunContractOptions = { quietMs: 10, threadiness: 1 };

/** What differs, with what was seen. */
function differences(report: ContractReport): string[] {
  return report.results
    .filter(({ outcome }) => outcome === "differs")
    .map(({ behaviour, detail }) => `${behaviour.name}: ${detail}`);
}

/** The names of the behaviours that came out in some way. */
function names(report: ContractReport, outcome: string): string[] {
  return report.results
    .filter((result) => result.outcome === outcome)
    .map(({ behaviour }) => behaviour.name);
}

/** The behaviours that have been looked at in this file. */
const lookedAt = new Set<string>();

describe("contract suite: the fake agrees", () => {
  for (
    const { falcoVersion, tls, least } of [
      { falcoVersion: "0.18.0", tls: false, least: 18 },
      { falcoVersion: "0.20.0", tls: true, least: 30 },
      { falcoVersion: "0.23.0", tls: true, least: 30 },
      { falcoVersion: "0.24.0", tls: false, least: 44 },
      { falcoVersion: "0.30.0", tls: false, least: 44 },
      { falcoVersion: "0.38.2", tls: false, least: 45 },
      { falcoVersion: "0.43.1", tls: false, least: 47 },
      { falcoVersion: "0.43.1", tls: true, least: 54 },
      { falcoVersion: "0.44.0", tls: false, least: 1 },
      { falcoVersion: "0.44.0", tls: true, least: 1 },
    ]
  ) {
    it(`as ${falcoVersion} over ${tls ? "TLS" : "a unix socket"}`, async () => {
      const fake = await FakeFalco.start({ falcoVersion, tls, threadiness: 1 });
      try {
        const report = await runContract(fake, quick);
        assert.deepEqual(differences(report), []);
        assert.ok(report.agrees >= least, `${report.agrees} agree`);
        assert.equal(report.falcoVersion, falcoVersion);
        assert.equal(report.agrees + report.differs + report.notRun, contractBehaviours.length);
        for (const { outcome, behaviour, detail } of report.results) {
          assert.equal(detail === "", outcome !== "not run", behaviour.name);
          if (outcome === "agrees") lookedAt.add(behaviour.name);
        }
        assert.deepEqual(fake.requests.filter(({ open }) => open), []);
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    });
  }

  it("as every release from 0.18 to 0.43, in what its messages look like", async () => {
    for (let minor = 18; minor <= 43; minor++) {
      const fake = await FakeFalco.start({ falcoVersion: `0.${minor}.0` });
      try {
        const report = await runContract(fake, {
          ...quick,
          filter: ({ section }) => section === "alerts" || section === "version",
        });
        assert.deepEqual(differences(report), [], fake.falcoVersion);
        assert.ok(report.agrees >= 7, fake.falcoVersion);
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    }
  });

  it("in every behaviour, taken together", () => {
    const never = contractBehaviours.filter(({ name }) => !lookedAt.has(name));
    assert.deepEqual(never.map(({ name }) => name), []);
  });
});

/** What can only be got wrong by who cannot be connected to, so that the suite would not begin. */
const offTheWire = [
  "TLSv1.2 is spoken",
  "TLSv1.3 is spoken",
  "plain text is turned away",
  "who speaks something else than HTTP/2 is turned away",
];

describe("contract suite: others differ", () => {
  const servers: WrongFalco[] = [];
  const noticed = new Set<string>();
  let certificates: Certificates;
  before(async () => {
    certificates = await makeCertificates();
  });
  after(async () => {
    for (const server of servers) await server.close();
  });

  /** One that answers has time for it; with one that does not, each check takes all of the limit. */
  async function look(
    server: WrongFalco,
    target: ContractTarget = server,
    timeoutMs = 60,
  ): Promise<string[]> {
    servers.push(server);
    const options = { ...quick, timeoutMs };
    const found = names(await within("the report", runContract(target, options)), "differs");
    for (const name of found) noticed.add(name);
    return found;
  }

  it("where a server is kinder than Falco", async () => {
    const server = await kind();
    const found = await look(server, server, 600);
    for (
      const name of [
        "sub sends nothing without a request",
        "a request drains the queue, then nothing comes until the next one",
        "requests that find the queue empty are not banked",
        "response headers come with the first alert",
        "a sub that is opened has no answer, not even headers",
        "a half-closed sub delivers what is queued, then hangs",
        "half-close without a request hangs",
        "a first request that cannot be decoded hangs",
        "a later request that cannot be decoded silences sub",
        "get on an empty queue is answered with OK alone",
        "get refuses a request that it cannot decode, and takes nothing",
        "version has the fields of its time, and zero is not among them",
        "unknown methods and services are answered with 12 and no words",
        "the subscribe of before 0.24 is unimplemented",
        "the HTTP/2 settings are those of gRPC's C++ server",
        "the 4th PING on an idle call ends the connection with ENHANCE_YOUR_CALM",
        "the time keeps its nanoseconds",
        "a reload waits for an idle sub, ends it with OK at its next request, and keeps the queue",
        "a stop waits for an idle sub, and ends it with OK at its next request",
      ]
    ) {
      assert.ok(found.includes(name), name);
    }
    assert.ok(!found.includes("get ends with OK"));
  });

  it("where a server lets everybody in over TLS", async () => {
    const server = await kind(certificates);
    const found = await look(server, server, 600);
    assert.ok(found.filter((name) => name.includes("turned away over")).length === 4, `${found}`);
  });

  it("where a server says nothing, or has nothing", async () => {
    await look(await mute());
    await look(await empty());
    await look(await empty(), { ...servers.at(-1)!, falcoVersion: "0.18.0" });
    await look(await mute(), { ...servers.at(-1)!, falcoVersion: "0.44.0" });
  });

  it("where a fake is of another time than it says", async () => {
    for (
      const { is, says } of [
        { is: "0.43.1", says: "0.18.0" },
        { is: "0.18.0", says: "0.43.1" },
        { is: "0.30.0", says: "0.43.1" },
        { is: "0.43.1", says: "0.38.0" },
        { is: "0.43.1", says: "0.19.0" },
        { is: "0.23.0", says: "0.19.0" },
      ]
    ) {
      const fake = await FakeFalco.start({ falcoVersion: is, threadiness: 2 });
      const push = (...alerts: readonly Alert[]) => fake.push(...alerts);
      const close = () => fake[Symbol.asyncDispose]();
      const found = await look({ address: fake.address, falcoVersion: says, push, close });
      assert.ok(found.length > 0, `${is} for ${says}`);
    }
  });

  it("where a server never answers, and never hangs up", async () => {
    for (const tls of [undefined, certificates]) {
      const target = await deaf(tls);
      servers.push(target);
      const scene = new ContractScene({
        target,
        address: parseAddress(target.address),
        clock: systemClock,
        timeoutMs: 60,
        quietMs: 10,
        threadiness: 1,
        version: [0, 43, 1],
        signal: undefined,
      });
      const kind = tls === undefined ? "unix" : "tls";
      for (const { name, needs, run } of allBehaviours) {
        if (!offTheWire.includes(name) || !needs.includes(kind)) continue;
        await assert.rejects(run(scene), Difference, name);
        noticed.add(name);
      }
    }
  });

  it("in every behaviour, taken together", () => {
    const missed = allBehaviours.filter(({ name }) => !noticed.has(name));
    assert.deepEqual(missed.map(({ name }) => name), []);
  });
});

describe("runContract()", () => {
  it("runs what the target offers, and says why not the rest", async () => {
    const fake = await FakeFalco.start();
    try {
      const { address } = fake;
      const heard: string[] = [];
      const report = await runContract({ address }, {
        quietMs: 10,
        onResult: ({ behaviour }) => heard.push(behaviour.name),
      });
      assert.deepEqual(differences(report), []);
      assert.deepEqual(heard, report.results.map(({ behaviour }) => behaviour.name));
      const why = (part: string) =>
        report.results.find(({ behaviour }) => behaviour.name.includes(part))?.detail;
      assert.equal(why("sub sends nothing"), "alerts cannot be made here");
      assert.equal(why("keepalive stays"), "it is about 0.18 to 0.23, this is 0.43.1");
      assert.equal(why("a stop waits"), "alerts cannot be made here");
      assert.equal(why("plain text"), "the target is a unix socket");
      assert.equal(why("nobody listens"), "it is about from 0.44 on, this is 0.43.1");
      assert.equal(why("get ends with OK"), "");
      assert.ok(report.agrees > 15);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("takes no alert and stops nothing with readOnly", async () => {
    const fake = await FakeFalco.start();
    try {
      await fake.replay((await import("../harness/scenarios/mod.ts")).scenarios.cryptoMiner);
      const { queueDepth } = fake;
      const report = await runContract(fake, { ...quick, readOnly: true });
      assert.deepEqual(differences(report), []);
      assert.ok(queueDepth > 0 && fake.queueDepth === queueDepth);
      const ran = contractBehaviours.filter(({ name }) => names(report, "agrees").includes(name));
      assert.ok(ran.length > 15);
      for (const { name, needs } of ran) {
        assert.ok(!needs.some((need) => /alerts|push|reload|stop/.test(need)), name);
      }
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("looks at what the filter lets through", async () => {
    const fake = await FakeFalco.start();
    try {
      const report = await runContract(fake, {
        ...quick,
        filter: ({ section }) => section === "get",
      });
      assert.ok(report.results.length >= 5);
      assert.ok(report.results.every(({ behaviour }) => behaviour.section === "get"));
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("ends between two behaviours when the signal fires", async () => {
    const fake = await FakeFalco.start();
    try {
      const abort = new AbortController();
      const reason = new Error("enough");
      let results = 0;
      const onResult = () => ++results === 3 && abort.abort(reason);
      const run = runContract(fake, { ...quick, onResult, signal: abort.signal });
      await assert.rejects(run, (error) => error === reason);
      assert.equal(results, 3);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("asks for the version, and cannot go on without it", async () => {
    const fake = await FakeFalco.start({ falcoVersion: "0.19.0" });
    try {
      const { address } = fake;
      await assert.rejects(runContract({ address }, quick), (error) => {
        assert.ok(error instanceof FalcoError);
        assert.match(error.message, /status 12\. Say which Falco it is with falcoVersion/);
        return true;
      });
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("rejects if nobody is there", async () => {
    const address = "unix:///tmp/there-is-no-falco-here.sock";
    await assert.rejects(runContract({ address }), FalcoConnectError);
    await assert.rejects(runContract({ address, falcoVersion: "0.30.0" }), FalcoConnectError);
  });

  for (
    const { name, target, options } of [
      { name: "a version", target: { falcoVersion: "new" }, options: {} },
      { name: "a version with gRPC", target: { falcoVersion: "0.17.0" }, options: {} },
      { name: "quietMs", target: {}, options: { quietMs: 0 } },
      { name: "timeoutMs", target: {}, options: { timeoutMs: NaN } },
      { name: "threadiness", target: {}, options: { threadiness: 0 } },
    ]
  ) {
    it(`insists on ${name}`, async () => {
      const address = "unix:///tmp/there-is-no-falco-here.sock";
      await assert.rejects(runContract({ address, ...target }, options), RangeError);
    });
  }

  it("has a name, a check and a source for every behaviour", () => {
    for (const { name, check, source } of contractBehaviours) {
      assert.ok(name !== "" && check !== "" && source !== "");
    }
    const all = contractBehaviours.map(({ name }) => name);
    assert.equal(new Set(all).size, all.length);
  });
});

describe("harness/contract/README.md", () => {
  it("has a row for each behaviour, with its source, and no other", async () => {
    const text = await readFile(new URL("../harness/contract/README.md", import.meta.url), "utf8");
    const cells = text.split("\n").filter((line) => line.startsWith("| ")).slice(2)
      .map((line) => line.split("|").slice(1, 3).map((cell) => cell.trim()));
    const expected = contractBehaviours.map(({ section, name, source }) => [
      `${section}: ${name}`,
      source,
    ]);
    assert.deepEqual(cells, expected);
  });
});
