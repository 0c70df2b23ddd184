import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ReplaySummary } from "../cli/summary.ts";
import { buildAlert } from "../harness/build_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";

const shell = buildAlert({ rule: "Shell" });
const miner = buildAlert({ rule: "Miner", priority: "critical" });
const audit = buildAlert({ rule: "Audit", priority: "critical" });

/** The digest by another way: all lines in one text. */
function digestOf(alerts: readonly Alert[]): string {
  const text = alerts.map((alert) => `${formatAlert(alert)}\n`).join("");
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A replay in which everything happened. */
function fullSummary(): ReplaySummary {
  const summary = new ReplaySummary();
  for (const repair of ["time-object", "priority-number", "time-object"] as const) {
    summary.repaired(repair);
  }
  for (const alert of [shell, shell, shell, miner, audit, shell]) summary.in(alert);
  summary.in(shell, ["typed-field", "absent-field"]);
  summary.in(shell, ["typed-field"]);
  summary.in(shell);
  summary.batch([shell, miner]);
  summary.batch([audit]);
  summary.batch([shell, shell]);
  summary.dropped({ duplicate: 1, "below notice": 2 });
  return summary;
}

test("ReplaySummary.lines() says all there is to say", () => {
  const alerts = [shell, miner, audit, shell, shell];
  assert.equal(
    fullSummary().lines({ elapsedMs: 2_500 }),
    "alerts:      9 in, 5 out, 3 dropped\n" +
      "repaired:    time-object 2, priority-number 1\n" +
      "dropped:     below notice 2, duplicate 1\n" +
      "left behind: 1 played, neither printed nor dropped\n" +
      "altered:     2 by gRPC: typed-field 2, absent-field 1\n" +
      "priorities:  Critical 2, Notice 3\n" +
      "batches:     3\n" +
      `digest:      ${digestOf(alerts)}\n` +
      "elapsed:     2.50 s, 2 alerts/s\n",
  );
});

test("ReplaySummary.lines() is short when nothing happened", () => {
  const expected = "alerts:      0 in, 0 out, 0 dropped\n" +
    "repaired:    nothing\n" +
    "digest:      e3b0c44298fc1c14\n";
  assert.equal(new ReplaySummary().lines(), expected);
  assert.equal(new ReplaySummary().lines({ elapsedMs: 0 }), `${expected}elapsed:     0.00 s\n`);
});

test("ReplaySummary.in() looks up how gRPC alters an alert", () => {
  const summary = new ReplaySummary();
  summary.in(buildAlert({ outputFields: { "proc.pid": 7, "proc.name": null } }));
  summary.in(buildAlert());
  assert.equal(summary.alertsIn, 2);
  assert.match(
    summary.lines(),
    /^altered: {5}1 by gRPC: absent-field 1, typed-field 1$/m,
  );
});

test("ReplaySummary.lines() without elapsedMs is the same for the same counts", () => {
  assert.equal(fullSummary().lines(), fullSummary().lines());
  assert.doesNotMatch(fullSummary().lines(), /elapsed/);
});

test("ReplaySummary.table() counts by priority and by rule", () => {
  const summary = fullSummary();
  const expected = "by priority\n" +
    "  2  Critical\n" +
    "  3  Notice\n" +
    "\n" +
    "by rule\n" +
    "  3  Shell\n" +
    "  1  Audit\n" +
    "  1  Miner\n" +
    "\n" +
    "in total\n" +
    "  5  alerts\n" +
    "  3  batches\n" +
    "  2  dropped: below notice\n" +
    "  1  dropped: duplicate\n" +
    "\n" +
    `digest ${digestOf([shell, miner, audit, shell, shell])}\n`;
  assert.equal(summary.table(), expected);
  summary.lines({ elapsedMs: 17 });
  assert.equal(summary.table(), expected);
});

test("ReplaySummary.table() of no alerts has totals and the digest", () => {
  assert.equal(
    new ReplaySummary().table(),
    "in total\n  0  alerts\n\ndigest e3b0c44298fc1c14\n",
  );
});

test("ReplaySummary.table() does not depend on how far the fake read ahead", () => {
  const tables = [1, 5].map((readAhead) => {
    const summary = new ReplaySummary();
    for (let count = 0; count < readAhead; count++) summary.in(shell);
    summary.out(shell);
    return summary.table();
  });
  assert.equal(tables[0], tables[1]);
});

test("ReplaySummary.table() aligns counts of any length", () => {
  const summary = new ReplaySummary();
  for (let count = 0; count < 12; count++) summary.out(shell);
  summary.out(miner);
  assert.match(summary.table(), /^ {2}12 {2}Shell\n {3}1 {2}Miner$/m);
});

test("ReplaySummary.digest goes by the alerts and their order, read as often as one likes", () => {
  const summary = new ReplaySummary();
  const typed = buildAlert({ outputFields: { "evt.time": 1767225600000000005n, x: "é\ud800" } });
  summary.out(shell);
  assert.equal(summary.digest, digestOf([shell]));
  assert.equal(summary.digest, digestOf([shell]));
  summary.batch([miner, typed]);
  assert.equal(summary.digest, digestOf([shell, miner, typed]));
  assert.notEqual(summary.digest, digestOf([miner, shell, typed]));
  assert.match(summary.digest, /^[0-9a-f]{16}$/);
  assert.equal(summary.alertsOut, 3);
});

test("ReplaySummary holds 1,000 rules and counts the rest together", () => {
  const summary = new ReplaySummary();
  for (let round = 0; round < 2; round++) {
    for (let rule = 0; rule < 1_003; rule++) summary.out(buildAlert({ rule: `rule ${rule}` }));
  }
  const table = summary.table();
  assert.equal(table.match(/^ +2 {2}rule \d+$/gm)?.length, 1_000);
  // Last, though it has the highest count.
  assert.match(table, /^ +2 {2}rule 999\n +6 {2}\(other rules\)\n\nin total$/m);
  assert.match(table, /^ +2006 {2}alerts$/m);
});

test("ReplaySummary shows hostile names of rules harmless, and cut", () => {
  const summary = new ReplaySummary();
  summary.out(buildAlert({ rule: "evil\n  9  faked\x1b[2J\u202e" }));
  summary.out(buildAlert({ rule: "x".repeat(1_000) }));
  summary.out(buildAlert({ rule: "__proto__" }));
  const table = summary.table();
  assert.match(table, /^ {2}1 {2}evil\\n {2}9 {2}faked\\x1b\[2J\\u202e$/m);
  assert.match(table, /^ {2}1 {2}x{200}$/m);
  assert.match(table, /^ {2}1 {2}__proto__$/m);
});

test("ReplaySummary.dropped() takes the place of what was said before", () => {
  const summary = new ReplaySummary();
  summary.dropped({ duplicate: 1 });
  summary.dropped({ duplicate: 4, "below error": 0 });
  assert.match(summary.lines(), /^alerts: .* 4 dropped$/m);
  assert.match(summary.lines(), /^dropped: {5}duplicate 4$/m);
  assert.match(summary.table(), /^ {2}4 {2}dropped: duplicate\n {2}0 {2}dropped: below error$/m);
});
