/** What README, deno.json and the lock say is so. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { denoFlags } from "./run_cli.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const config = JSON.parse(read("deno.json")) as {
  exports: Record<string, string>;
  imports: Record<string, string>;
  tasks: Record<string, string | { command: string }>;
};
const command = (task: string): string => {
  const entry = config.tasks[task]!;
  return typeof entry === "string" ? entry : entry.command;
};
const readme = read("README.md");

describe("deno.json", () => {
  it("grants replay net, read, write to the temporary folder and nothing more", () => {
    const flags = command("replay").split(" ").filter((word) => word.startsWith("--"));
    assert.deepEqual(flags, denoFlags["replay"]);
    // --ignore-env grants nothing: the YAML parser looks at two variables, which read as not set.
    assert.deepEqual(flags.filter((flag) => flag.startsWith("--allow")), [
      "--allow-net",
      "--allow-read",
      "--allow-write=/tmp",
    ]);
  });

  for (const task of ["fake", "tail", "record", "doctor", "contract", "certs", "gateway"]) {
    it(`runs ${task} with the flags that its tests use`, () => {
      const flags = command(task).split(" ").filter((word) => word.startsWith("--"));
      assert.deepEqual(flags, denoFlags[task]);
    });
  }

  it("lets tail, doctor, contract and gateway write where sockets are, and nowhere else", () => {
    for (const task of ["tail", "doctor", "contract", "gateway"]) {
      assert.deepEqual(denoFlags[task]!.filter((flag) => flag.startsWith("--allow-write")), [
        "--allow-write=/run,/var/run,/tmp",
      ]);
    }
  });

  it("has no task that grants everything", () => {
    for (const task of Object.keys(config.tasks)) {
      assert.doesNotMatch(command(task), /(^| )(-A|--allow-all)( |$)/, task);
    }
  });

  it("gets packages from npm only, each with a version", () => {
    for (const [name, target] of Object.entries(config.imports)) {
      assert.match(target, /^npm:.+@\^?\d+\.\d+\.\d+/, name);
    }
  });

  it("exports files that are there", () => {
    for (const path of Object.values(config.exports)) {
      assert(existsSync(new URL(`../${path}`, import.meta.url)), path);
    }
  });
});

describe("docs/gateway.md", () => {
  const page = read("docs/gateway.md");

  it("has configurations that are right", async () => {
    const { parseGatewayConfig } = await import("../gateway/mod.ts");
    const found = [...page.matchAll(/```yaml\n(version: 1\n[^]*?)```/g)].map(([, text]) => text!);
    assert(found.length >= 2);
    for (const text of found) parseGatewayConfig(text);
  });

  it("names every key and every metric", async () => {
    const { gatewayShape } = await import("../gateway/gateway_shape.ts");
    const keys = [...JSON.stringify(gatewayShape).matchAll(/"([a-zA-Z]+)":\{"kind"/g)];
    const words = ["of", "grpc", "http", "file", "stdin"]; // no keys
    for (const key of keys.map(([, key]) => key!).filter((key) => !words.includes(key))) {
      assert(page.includes(`\`${key}\``), key);
    }
    const metrics = read("gateway/gateway_metrics.ts");
    const names = [...metrics.matchAll(/metric\(\s*"(?:counter|gauge)",\s*"([a-z_]+)"/g)];
    assert(names.length > 15);
    for (const [, name] of names) assert(page.includes(`\`${name}\``), name);
  });
});

describe("deno.lock", () => {
  for (const file of ["deno.lock", "proto/deno.lock"]) {
    const skip = !existsSync(new URL(`../${file}`, import.meta.url));
    it(`names no host in ${file}`, { skip }, () => {
      assert.doesNotMatch(read(file), /https?:|tarball|"jsr"/);
    });
  }
});

describe("docs", () => {
  const pages = readdirSync(new URL("../docs/", import.meta.url)).filter((name) =>
    name.endsWith(".md")
  );

  it("are linked from README, and run with the tests", () => {
    assert(pages.length >= 2);
    for (const page of pages) assert(readme.includes(`](docs/${page})`), page);
    assert.match(command("test"), / docs /);
  });

  it("link to files that are there", () => {
    for (const page of pages) {
      for (const [, target] of read(`docs/${page}`).matchAll(/\]\(([^)#]+)\)/g)) {
        if (target!.startsWith("http")) continue;
        assert(existsSync(new URL(`../docs/${target}`, import.meta.url)), `${target} in ${page}`);
      }
    }
  });

  it("name options and names that there are", () => {
    const source = ["client/connect", "client/subscription", "client/backoff", "client/poll_pacer"]
      .map((path) => read(`lib/${path}.ts`)).join("\n");
    const page = read("docs/from_client_go.md");
    const named = ["connectTimeoutMs", "maxMessageBytes", "minPollMs", "maxPollMs", "maxAttempts"];
    for (const name of [...named, "reconnect", "signal"]) {
      assert(page.includes(name) && source.includes(`${name}?:`), name);
    }
  });
});

describe("README.md", () => {
  it("links to files that are there", () => {
    for (const [, target] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      if (target!.startsWith("http")) continue;
      assert(existsSync(new URL(`../${target}`, import.meta.url)), target);
    }
  });

  it("says what it is, which Falco, and both commands on the first screen", () => {
    const screen = readme.split("\n").slice(0, 30).join("\n");
    assert.match(screen, /Web Streams/);
    assert.match(screen, /0\.18 to 0\.43/);
    assert.match(screen, /^npx -y deno@2\.9\.6 task replay$/m);
    assert.match(screen, /^npx -y deno@2\.9\.6 task test$/m);
  });
});
