/** What a soak concludes from its figures. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { growth, median } from "./soak/figures.ts";
import type { Sample } from "./soak/figures.ts";
import { svgOf, textOf } from "./soak/plot.ts";
import { failuresOf, plotOf, reportOf } from "./soak/report.ts";
import type { SoakRun } from "./soak/report.ts";
import { SequenceCheck } from "./soak/sequence_check.ts";
import type { Loss } from "./soak/sequence_check.ts";

/** Ten alerts, one a second, of which the given ones come at 20 s, with so many gaps at each hole. */
function check(numbers: readonly number[], losses: readonly Loss[] = [], gaps = 0) {
  const sequence = new SequenceCheck();
  for (let second = 0; second < 10; second++) sequence.raise(1, second * 1000);
  let seen = 0;
  for (const [at, number] of numbers.entries()) {
    if (number > (numbers[at - 1] ?? -1) + 1) seen += gaps;
    sequence.receive(number, 20_000, seen, losses);
  }
  sequence.end(30_000, losses);
  return sequence.figures;
}
const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const without = (...missing: number[]) => all.filter((number) => !missing.includes(number));

describe("SequenceCheck", () => {
  it("finds nothing where all came once and in order", () => {
    const figures = check(all);
    assert.equal(figures.received, 10);
    assert.deepEqual(figures, {
      sent: 10,
      received: 10,
      duplicates: 0,
      disordered: 0,
      lost: {},
      unexplained: [],
    });
  });

  it("counts what came twice", () => {
    assert.equal(check([0, 1, 1, ...all.slice(2), 9]).duplicates, 2);
  });

  it("tells late ones from those that came twice", () => {
    const drop: Loss = { kind: "drop", atMs: 5000, forMs: 0 };
    const { disordered, duplicates } = check([0, 1, 4, 3, 5, 6, 7, 8, 9], [drop], 1);
    assert.deepEqual({ disordered, duplicates }, { disordered: 1, duplicates: 0 });
  });

  it("names what took alerts", () => {
    const losses: Loss[] = [
      { kind: "drop", atMs: 3000, forMs: 0 },
      { kind: "restart", atMs: 4000, forMs: 0 },
    ];
    const { lost, unexplained } = check(without(3, 4), losses, 1);
    assert.deepEqual({ lost, unexplained }, { lost: { restart: 2 }, unexplained: [] });
  });

  it("minds alerts that are lost though nothing had happened", () => {
    const { lost, unexplained } = check(without(3), [], 1);
    assert.deepEqual(lost, {});
    assert.match(unexplained[0]!, /^1 alerts from number 3 on never came, though nothing/);
  });

  it("minds a loss that was over when the alert was raised", () => {
    const early: Loss = { kind: "drop", atMs: 1000, forMs: 0 };
    assert.equal(check(without(7), [early], 1).unexplained.length, 1);
    assert.equal(check(without(7), [{ ...early, forMs: 6000 }], 1).unexplained.length, 0);
  });

  it("minds a loss without a gap", () => {
    const drop: Loss = { kind: "drop", atMs: 4000, forMs: 0 };
    assert.match(check(without(3), [drop], 0).unexplained[0]!, /without a gap/);
  });

  it("lets Falco drop one alert for each such fault without a gap, and no more", () => {
    const lose: Loss = { kind: "lose", atMs: 4000, forMs: 0 };
    assert.deepEqual(check(without(3), [lose]).lost, { lose: 1 });
    assert.equal(check(without(3, 4), [lose]).unexplained.length, 1);
    assert.deepEqual(check(without(3, 4), [lose, lose]).lost, { lose: 2 });
  });

  it("looks at what is missing at the end, too", () => {
    assert.equal(check(without(9)).unexplained.length, 1);
    const left: Loss = { kind: "reader left", atMs: 25_000, forMs: 0 };
    assert.deepEqual(check(without(8, 9), [left]).lost, { "reader left": 2 });
  });
});

describe("growth()", () => {
  const slack = { fixed: 2, part: 0.1 };
  const samples = (value: (at: number) => number) =>
    Array.from({ length: 100 }, (_, at) => value(at));

  it("takes a leak for growth", () => {
    assert(growth("heap", samples((at) => 20 + at * 0.2), slack).grows);
  });

  it("takes neither warming up nor a peak for growth", () => {
    assert(!growth("heap", samples((at) => Math.min(10 + at, 30)), slack).grows);
    assert(!growth("heap", samples((at) => at === 90 ? 500 : 20), slack).grows);
    assert(!growth("heap", samples((at) => 20 + at % 7), slack).grows);
  });

  it("the median is the one in the middle, or between two", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(median([]), 0);
  });
});

function run(change: Partial<SoakRun> = {}, heap = (_at: number) => 20): SoakRun {
  const samples: Sample[] = Array.from({ length: 60 }, (_, at) => ({
    atS: at,
    rss: 100,
    heap: heap(at),
    descriptors: 30,
    received: at * 10,
    queued: 0,
  }));
  return {
    minutes: 1,
    seed: 1,
    rate: 10,
    samples,
    left: [],
    lanes: [{
      name: "unix",
      sequence: check(all),
      figures: {
        lives: 1,
        delivered: 10,
        filtered: 0,
        reconnects: 0,
        gaps: 0,
        invalid: 0,
        unread: 0,
        droppedByDedupe: 0,
        faults: { drop: 1 },
      },
    }],
    ...change,
  };
}

describe("failuresOf()", () => {
  it("finds nothing in a good run", () => {
    assert.deepEqual(failuresOf(run()), []);
  });

  const good = run().lanes[0]!;
  const cases = [
    { name: "a leak", run: run({}, (at) => 20 + at), expected: /^heap grew from/ },
    { name: "descriptors", run: run({ left: ["socket:[1]"] }), expected: /1 descriptors are left/ },
    {
      name: "nothing received",
      run: run({ lanes: [{ ...good, sequence: { ...good.sequence, received: 0 } }] }),
      expected: /unix: nothing was received/,
    },
    {
      name: "doubles",
      run: run({ lanes: [{ ...good, sequence: { ...good.sequence, duplicates: 2 } }] }),
      expected: /unix: 2 alerts came twice/,
    },
    {
      name: "another order",
      run: run({ lanes: [{ ...good, sequence: { ...good.sequence, disordered: 2 } }] }),
      expected: /unix: 2 alerts came out of order/,
    },
    {
      name: "a loss without a reason",
      run: run({ lanes: [{ ...good, sequence: { ...good.sequence, unexplained: ["so"] } }] }),
      expected: /^unix: so$/,
    },
    {
      name: "messages that are no alerts",
      run: run({ lanes: [{ ...good, figures: { ...good.figures, invalid: 1 } }] }),
      expected: /1 messages were no alerts/,
    },
    {
      name: "doubles behind the pipeline",
      run: run({ lanes: [{ ...good, figures: { ...good.figures, droppedByDedupe: 1 } }] }),
      expected: /took 1 alerts for doubles/,
    },
  ];
  for (const { name, run, expected } of cases) {
    it(`tells of ${name}`, () => {
      const [failure = "", ...others] = failuresOf(run);
      assert.match(failure, expected);
      assert.deepEqual(others, []);
      assert.match(reportOf(run, ""), /NOT WELL:\n {2}/);
    });
  }
});

describe("the plot", () => {
  const plot = plotOf(run({}, (at) => 20 + at).samples, [10, 30]);

  it("draws a panel for each figure, and a mark for each fault", () => {
    const svg = svgOf({ ...plot, title: "a < b & c" });
    assert.equal(svg.match(/<polyline /g)?.length, plot.series.length);
    assert.match(svg, /a &#60; b &#38; c/);
    assert.match(svg, /<path d="M\S+ \d+v-110M\S+ \d+v-110" stroke/);
    assert.match(svg, /^<svg [^>]+>\n[^]+<\/svg>\n$/);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  });

  it("shows a bar for each part of the time in text", () => {
    const [heap = ""] = textOf(plot, 10).split("\n");
    assert.match(heap, /^heap, MiB +▃\S{8}█ {2}20 to 79, last 79$/);
    assert.match(textOf(plot, 10), / 0:00 +0:59\n$/);
  });

  it("gets along with zeros alone", () => {
    const samples = run().samples.map((one) => ({ ...one, heap: 0 }));
    assert.doesNotMatch(textOf(plotOf(samples, [])) + svgOf(plotOf(samples, [])), /NaN|undefined/);
  });
});
