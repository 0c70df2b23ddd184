/** A Falco in a process of its own, killed by SIGKILL in the middle of a backlog, and restarted. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { writeCertificates } from "../harness/certificates.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { certificates, credentials, testWays } from "./client_probes.ts";
import type { Way } from "./client_probes.ts";
import { withOwnPort } from "./own_port.ts";
import { Story } from "./reconnect_probes.ts";
import { startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

/** Falco's JSON lines of so many alerts, as a file. */
async function writeNumbered(path: string, name: string, count: number): Promise<string> {
  const lines = Array.from(
    { length: count },
    (_, index) => formatAlert(buildAlert({ rule: `${name} ${index}` })),
  );
  await writeFile(path, lines.join("\n") + "\n");
  return path;
}

type Run = (start: (fixture: string) => Promise<Running>, folder: string) => Promise<void>;

/** A place where one process after the other serves a file. */
async function withProcesses(kind: Way["kind"], run: Run): Promise<void> {
  const folder = await makeTempFolder();
  const { path } = folder;
  try {
    await writeCertificates(path, certificates);
    if (kind === "unix") await serveAt(["--listen", `unix://${path}/falco.sock`], path, run);
    else {
      await withOwnPort((port) =>
        serveAt(["--listen", `localhost:${port}`, "--certs", path], path, run)
      );
    }
  } finally {
    await folder.remove();
  }
}

async function serveAt(place: readonly string[], folder: string, run: Run): Promise<void> {
  const all: Running[] = [];
  try {
    await run(async (fixture) => {
      const running = startCli(["fake", ...place, "--fixture", fixture]);
      all.push(running);
      await running.firstLine;
      return running;
    }, folder);
  } finally {
    for (const { child, finished } of all) {
      child.kill("SIGTERM");
      await finished;
    }
  }
}

testWays("Subscription goes on after SIGKILL in the middle of a backlog", async (way) => {
  const { kind, transport } = way;
  await withProcesses(kind, async (start, folder) => {
    const many = await writeNumbered(`${folder}/many.jsonl`, "first", 20_000);
    const few = await writeNumbered(`${folder}/few.jsonl`, "second", 500);
    const first = await start(many);
    const address = (await first.firstLine).slice("listening on ".length);
    const falco = connect(address, {
      transport,
      tls: kind === "unix" ? undefined : credentials,
    });
    try {
      const alerts = falco.outputs.subscribe({ reconnect: { minDelayMs: 1, maxDelayMs: 20 } });
      const story = new Story(alerts);
      const rules: string[] = [];
      for await (const { rule } of alerts) {
        rules.push(rule);
        if (rules.length === 1000) {
          first.child.kill("SIGKILL");
          assert.equal((await first.finished).status, null);
          await start(few);
        }
        if (rule === "second 499") break;
      }
      await story.told;

      const lost = rules.indexOf("second 0");
      assert(lost >= 1000 && lost < 20_000, `${lost}`);
      const expected = Array.from({ length: lost }, (_, index) => `first ${index}`);
      for (let index = 0; index < 500; index++) expected.push(`second ${index}`);
      assert.deepEqual(rules, expected);
      assert.match(
        story.types,
        /^connecting open (reconnecting connecting )+open gap closed$/,
      );
      const error = story.of("reconnecting")[0]?.error;
      assert(error instanceof FalcoConnectError);
      assert.equal(error.reason, "lost");
      assert.equal(story.of("gap")[0]?.received, lost);
      const stats = alerts.stats();
      assert.deepEqual([stats.received, stats.dropped, stats.gaps], [lost + 500, 0, 1]);
      assert.equal(stats.reconnects, story.of("reconnecting").length);
    } finally {
      await falco.close();
    }
  });
}, { timeout: 120_000 });
