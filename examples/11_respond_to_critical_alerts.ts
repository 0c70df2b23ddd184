/**
 * A response: pauses the container that a critical alert is about.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/11_respond_to_critical_alerts.ts
 *
 * It only says what it would do. With `--really`, and `--allow-run=/usr/bin/docker`, it does it.
 *
 * Who runs processes on the watched host chooses most texts of an alert, and may want a response to
 * hit something else, or to hit all day. So: nothing but a well-formed id is used, as one argument of
 * a program that no shell starts; at most three containers a minute, each at most once in ten.
 */
import { connect, DedupeStream, field, FilterStream, RateLimitStream } from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";

const really = Deno.args.includes("--really");

/** The id of the container, if it looks like one. */
function containerOf(alert: Alert): string | undefined {
  const id = field(alert, "container.id");
  return typeof id === "string" && /^[0-9a-f]{12}$/.test(id) ? id : undefined;
}

async function pause(id: string): Promise<void> {
  const command = ["/usr/bin/docker", "pause", id] as const;
  console.log(`${really ? "running" : "would run"} ${JSON.stringify(command)}`);
  const [program, ...args] = command;
  if (!really) return;
  // No shell, and nothing of our environment.
  const { success } = await new Deno.Command(program, { args, clearEnv: true }).output();
  if (!success) console.error(`${program} failed for ${id}`);
}

const fake = await FakeFalco.start();
const critical = (id: string, proc = "xmrig") =>
  buildAlert({
    priority: "critical",
    rule: "Detect outbound connections to common miner pool ports",
    outputFields: { "container.id": id, "proc.name": proc },
  });
fake.push(
  critical("3f1c9a7be240"),
  critical("3f1c9a7be240"), // again: once is enough
  critical("$(reboot)"),
  critical("--all"),
  critical("a1b2c3d4e5f6; rm -rf /"),
  critical("a1b2c3d4e5f6", "'; reboot #"), // what else it says does not matter
  critical("000000000001"),
  critical("000000000002"), // one too many for this minute
);

let refused = 0;
const repeated = new DedupeStream<string>((id) => id, { windowMs: 10 * 60_000 });
const limit = new RateLimitStream<string>({
  limit: 3,
  intervalMs: 60_000,
  overflow: "drop",
  onDrop: (id) => console.log(`left alone for now: ${id}`),
});
const falco = connect(fake.address);
const ids = falco.outputs.get()
  .pipeThrough(new FilterStream("alert.priority >= critical and container.id exists"))
  .pipeThrough(
    new TransformStream<Alert, string>({
      transform(alert, controller) {
        const id = containerOf(alert);
        if (id !== undefined) return controller.enqueue(id);
        refused++;
        // JSON keeps what it is made of from reaching the terminal.
        console.log(`no container id: ${JSON.stringify(field(alert, "container.id"))}`);
      },
    }),
  )
  .pipeThrough(repeated)
  .pipeThrough(limit);
for await (const id of ids) await pause(id);
console.log(`${refused} refused, ${repeated.dropped} repeated, ${limit.dropped} over the limit`);

await falco.close();
await fake.stop();
