import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTextAlert, startsTextAlert } from "../lib/alert/parse_text_alert.ts";
import { priorities, priorityName } from "../lib/alert/priority.ts";

/** 2026-06-15T12:00:00Z */
const noon = Date.UTC(2026, 5, 15, 12);
const utc = { nowMs: noon, utcOffsetMinutes: 0 };

function timeOf(text: string, options = utc): string {
  const { seconds, nanos } = parseTextAlert(text, options)!.time;
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${nanos}`;
}

describe("parseTextAlert()", () => {
  it("reads what a text line holds, and leaves the rest empty", () => {
    const text = "11:59:58.000000005: Warning A shell\nin two lines";
    assert.deepEqual(parseTextAlert(text, utc), {
      time: { seconds: noon / 1000 - 2, nanos: 5 },
      priority: "warning",
      source: "",
      rule: "",
      output: text,
      outputFields: {},
      hostname: "",
      tags: [],
      message: "A shell\nin two lines",
      omitted: ["output_fields", "tags"],
    });
  });

  it("knows each priority in Falco's own spelling only", () => {
    for (const priority of priorities) {
      const text = `11:00:00.000000000: ${priorityName(priority)} x`;
      assert.equal(parseTextAlert(text, utc)?.priority, priority);
    }
    for (const word of ["Info", "WARNING", "warning", "Loud"]) {
      assert.equal(parseTextAlert(`11:00:00.000000000: ${word} x`, utc), undefined);
      assert.equal(startsTextAlert(`11:00:00.000000000: ${word} x`), false);
    }
  });

  it("takes the time of time_format_iso_8601 as it is", () => {
    assert.equal(
      timeOf("2026-01-02T03:04:05.123456789+0000: Notice x"),
      "2026-01-02T03:04:05.123456789",
    );
    assert.equal(parseTextAlert("2026-02-30T03:04:05.123456789+0000: Notice x", utc), undefined);
  });

  it("takes the day that brings the time nearest to now", () => {
    assert.equal(timeOf("11:00:00.000000001: Notice x"), "2026-06-15T11:00:00.1");
    const night = { ...utc, nowMs: Date.UTC(2026, 5, 15, 0, 0, 1) };
    assert.equal(timeOf("23:59:59.000000001: Notice x", night), "2026-06-14T23:59:59.1");
    const evening = { ...utc, nowMs: Date.UTC(2026, 5, 15, 23, 59, 59) };
    assert.equal(timeOf("00:00:01.000000001: Notice x", evening), "2026-06-16T00:00:01.1");
  });

  it("reads local time: 09:04:51 in Tokyo is 00:04:51 UTC", () => {
    const tokyo = { nowMs: Date.UTC(2026, 10, 21, 0, 5), utcOffsetMinutes: 540 };
    assert.equal(timeOf("09:04:51.000000001: Notice x", tokyo), "2026-11-21T00:04:51.1");
    const west = { nowMs: Date.UTC(2026, 10, 21, 0, 5), utcOffsetMinutes: -480 };
    assert.equal(timeOf("16:04:51.000000001: Notice x", west), "2026-11-21T00:04:51.1");
  });

  it("takes this machine's offset from UTC where none is given", () => {
    const local = new Date(noon);
    const two = (value: number) => String(value).padStart(2, "0");
    const text = `${two(local.getHours())}:${two(local.getMinutes())}:00.000000000: Notice x`;
    assert.equal(parseTextAlert(text, { nowMs: noon })?.time.seconds, noon / 1000);
  });

  it("refuses what Falco does not write", () => {
    for (
      const text of [
        "",
        "Notice x",
        "24:00:00.000000000: Notice x",
        "11:60:00.000000000: Notice x",
        "11:00:60.000000000: Notice x",
        "11:00:00.00000000: Notice x",
        "11:00:00.000000000: Notice",
        " 11:00:00.000000000: Notice x",
        "2026-11-20T23:59:00+0000: Notice x",
      ]
    ) assert.equal(parseTextAlert(text, utc), undefined, text);
  });
});
