/**
 * The test of 03 under `bun test`, with Bun's own `test` and `expect`.
 *
 *     bun add @falco-streams/core && bun test ./16_under_bun_test.ts
 */
import { BatchStream, connect, FilterStream } from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";

/** Bun has them without an import, too; a project of yours has their types from `@types/bun`. */
declare const test: (name: string, work: () => Promise<void>) => void;
declare const expect: (value: unknown) => { toEqual(expected: unknown): void };

/** What is under test: pages for whoever is on call. */
const pages = (alerts: ReadableStream<Alert>): ReadableStream<Alert[]> =>
  alerts
    .pipeThrough(new FilterStream("alert.priority >= critical"))
    .pipeThrough(new BatchStream(2));

test("pages in twos", async () => {
  const fake = await FakeFalco.start();
  const falco = connect(fake.address);
  try {
    fake.push(...Array.from({ length: 3 }, () => buildAlert({ priority: "critical" })));
    fake.push(buildAlert({ priority: "notice" }));
    const sizes: number[] = [];
    for await (const page of pages(falco.outputs.get())) sizes.push(page.length);
    expect(sizes).toEqual([2, 1]);
  } finally {
    await falco.close();
    await fake.stop();
  }
});
