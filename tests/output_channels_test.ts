/** File, program, syslog and standard output, and the worker they share: real files and processes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import type { AlertOutput, OutputMessage } from "../harness/outputs/alert_output.ts";
import { FileOutput } from "../harness/outputs/file_output.ts";
import { OutputWorker } from "../harness/outputs/output_worker.ts";
import { ProgramOutput } from "../harness/outputs/program_output.ts";
import { StdoutOutput } from "../harness/outputs/stdout_output.ts";
import { parseSyslogTarget, SyslogOutput, SyslogSender } from "../harness/outputs/syslog_output.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { readLines } from "./recordings.ts";

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());
let count = 0;
const newPath = (): string => join(folder.path, `file-${count++}`);
const message = (line: string): OutputMessage => ({ alert: buildAlert(), line });
/** Whether there is a full disk, and Deno lets one write to it. */
function canFillDisk(): boolean {
  try {
    closeSync(openSync("/dev/full", "a"));
    return true;
  } catch {
    return false;
  }
}
const isPosix = process.platform !== "win32";

describe("FileOutput", () => {
  it("appends each line at once without keep_alive, and opens nothing before", () => {
    const filename = newPath();
    const output = new FileOutput({ filename, keepAlive: false, buffered: true });
    assert(!existsSync(filename));
    output.write(message("one"));
    assert.equal(readFileSync(filename, "utf8"), "one\n");
    renameSync(filename, `${filename}.1`);
    output.write(message("two"));
    assert.equal(readFileSync(filename, "utf8"), "two\n");
    output.close();
  });

  it(
    "keeps what is there, and gives a new file mode 0666 less the umask",
    { skip: !isPosix },
    () => {
      const filename = newPath();
      writeFileSync(filename, "old\n");
      const output = new FileOutput({ filename, keepAlive: false, buffered: true });
      output.write(message("new"));
      assert.equal(readFileSync(filename, "utf8"), "old\nnew\n");
      const fresh = newPath();
      const other = new FileOutput({ filename: fresh, keepAlive: false, buffered: true });
      other.write(message("x"));
      assert.equal(statSync(fresh).mode & 0o111, 0);
      assert.equal(statSync(fresh).mode & 0o600, 0o600);
    },
  );

  it("holds whole lines back up to 8 KiB with keep_alive, and a long one takes them along", () => {
    const filename = newPath();
    const output = new FileOutput({ filename, keepAlive: true, buffered: true });
    const line = "x".repeat(99);
    for (let i = 0; i < 81; i++) output.write(message(line));
    assert.equal(statSync(filename).size, 0);
    output.write(message(line));
    assert.equal(statSync(filename).size, 8200);
    output.write(message("short"));
    output.write(message("y".repeat(20_000)));
    assert.equal(statSync(filename).size, 8200 + 6 + 20_001);
    output.write(message("last"));
    output.close();
    assert(readFileSync(filename, "utf8").endsWith("y\nlast\n"));
  });

  it("loses what it holds back when it is killed, and counts it", () => {
    const filename = newPath();
    const output = new FileOutput({ filename, keepAlive: true, buffered: true });
    for (let i = 0; i < 10; i++) output.write(message("x"));
    output.kill();
    assert.equal(statSync(filename).size, 0);
    assert.equal(output.lost, 10);
  });

  it("writes on into a renamed file until it is reopened, which makes the new one at once", () => {
    const filename = newPath();
    const output = new FileOutput({ filename, keepAlive: true, buffered: false });
    output.write(message("one"));
    renameSync(filename, `${filename}.1`);
    output.write(message("two"));
    assert.equal(readFileSync(`${filename}.1`, "utf8"), "one\ntwo\n");
    output.reopen();
    assert.equal(readFileSync(filename, "utf8"), "");
    output.write(message("three"));
    assert.equal(readFileSync(filename, "utf8"), "three\n");
    // Truncated in place: no hole.
    truncateSync(filename);
    output.write(message("four"));
    assert.equal(readFileSync(filename, "utf8"), "four\n");
    output.close();
  });

  it("complains of a missing folder at each alert, and recovers when it appears", () => {
    const filename = join(newPath(), "events.txt");
    const output = new FileOutput({ filename, keepAlive: false, buffered: true });
    const expected = { message: `failed to open output file ${filename}` };
    assert.throws(() => output.write(message("one")), expected);
    assert.throws(() => output.write(message("two")), expected);
    assert.equal(output.lost, 2);
    mkdirSync(join(filename, ".."));
    output.write(message("three"));
    assert.equal(readFileSync(filename, "utf8"), "three\n");
    assert.equal(output.lost, 2);
    const keeping = new FileOutput({ filename: folder.path, keepAlive: true, buffered: true });
    assert.throws(() => keeping.reopen(), /failed to open output file/);
    assert.equal(keeping.lost, 0);
  });

  it("counts what a full disk did not take", { skip: !canFillDisk() }, () => {
    const output = new FileOutput({ filename: "/dev/full", keepAlive: false, buffered: true });
    output.write(message("one"));
    assert.equal(output.lost, 1);
  });
});

describe("StdoutOutput", () => {
  it("lets multiples of 4 KiB go, and the rest at the end", async () => {
    const sizes: number[] = [];
    const output = new StdoutOutput((bytes) => void sizes.push(bytes.length), true);
    for (let i = 0; i < 50; i++) output.write(message("x".repeat(99)));
    assert.deepEqual(sizes, [4096]);
    output.write(message("é".repeat(4000)));
    assert.deepEqual(sizes, [4096, 8192]);
    await output.close();
    assert.equal(sizes.reduce((a, b) => a + b), 50 * 100 + 8001);
  });

  it("writes a line at once when unbuffered", () => {
    const written: string[] = [];
    const output = new StdoutOutput(
      (bytes) => void written.push(Buffer.from(bytes).toString()),
      false,
    );
    output.write(message("é"));
    assert.deepEqual(written, ["é\n"]);
  });
});

describe("ProgramOutput", { skip: !isPosix }, () => {
  it("starts a shell for each alert and waits for it", async () => {
    const file = newPath();
    const program = `cat >> ${file}; echo end >> ${file}`;
    const output = new ProgramOutput({ program, keepAlive: false, buffered: true });
    await output.write(message("one"));
    assert.equal(readFileSync(file, "utf8"), "one\nend\n");
    await output.write(message("two\nlines"));
    assert.equal(readFileSync(file, "utf8"), "one\nend\ntwo\nlines\nend\n");
    assert.equal(output.lost, 0);
  });

  it("has one shell for all with keep_alive, in blocks of 4 KiB, until it is closed", async () => {
    const file = newPath();
    const program = `cat > ${file}; echo end >> ${file}`;
    const output = new ProgramOutput({ program, keepAlive: true, buffered: true });
    for (let i = 0; i < 100; i++) await output.write(message("x".repeat(99)));
    await output.close();
    assert.equal(readFileSync(file, "utf8"), `${`${"x".repeat(99)}\n`.repeat(100)}end\n`);
  });

  it("ends the old shell and starts a new one at once when it is reopened", async () => {
    const file = newPath();
    const program = `echo start >> ${file}; cat >> ${file}; echo end >> ${file}`;
    const output = new ProgramOutput({ program, keepAlive: true, buffered: false });
    await output.write(message("one"));
    await output.reopen();
    assert.match(readFileSync(file, "utf8"), /^start\none\nend\n(start\n)?$/);
    await output.write(message("two"));
    await output.close();
    assert.equal(readFileSync(file, "utf8"), "start\none\nend\nstart\ntwo\nend\n");
  });

  it("hands on what the program prints", async () => {
    let printed = "";
    let complained = "";
    const output = new ProgramOutput({
      program: "cat; echo oops >&2",
      keepAlive: false,
      buffered: true,
      stdout: (bytes) => void (printed += Buffer.from(bytes).toString()),
      stderr: (bytes) => void (complained += Buffer.from(bytes).toString()),
    });
    await output.write(message("hello"));
    assert.equal(printed, "hello\n");
    assert.equal(complained, "oops\n");
  });

  it("lives on when a program ends without reading, and counts what is lost", async () => {
    const output = new ProgramOutput({ program: "exit 3", keepAlive: true, buffered: false });
    // The first ones may still find room in the pipe.
    for (let i = 0; i < 20; i++) await output.write(message("x".repeat(100_000)));
    assert(output.lost >= 10, `${output.lost}`);
    await output.close();
  });

  it("lets the shell complain of a program that is not there", async () => {
    let complained = "";
    const output = new ProgramOutput({
      program: "/no/such/prog",
      keepAlive: false,
      buffered: true,
      stderr: (bytes) => void (complained += Buffer.from(bytes).toString()),
    });
    await output.write(message("x"));
    assert.match(complained, /\/no\/such\/prog: (not found|No such file or directory)/);
  });

  it("gives a program end of file when it is killed", async () => {
    const file = newPath();
    const done = newPath();
    const program = `cat > ${file}; echo end > ${done}`;
    const output = new ProgramOutput({ program, keepAlive: true, buffered: true });
    await output.write(message("held back"));
    output.kill();
    while (!existsSync(done)) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(readFileSync(file, "utf8"), "");
  });
});

describe("SyslogOutput", () => {
  const isUtc = new Date(0).getTimezoneOffset() === 0;
  for (const [name, json] of [["syslog-text.jsonl", false], ["syslog-json.jsonl", true]] as const) {
    it(`sends the datagrams of ${name} over UDP`, { skip: !isUtc }, async () => {
      const expected = readLines(name).map((line) => JSON.parse(line) as string);
      const received: string[] = [];
      const socket = createSocket("udp4");
      const all = new Promise<void>((resolve) => {
        socket.on("message", (bytes: Uint8Array) => {
          received.push(Buffer.from(bytes).toString());
          if (received.length === expected.length) resolve();
        });
      });
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
      const { port } = socket.address() as AddressInfo;
      const clock = new FakeClock(Date.UTC(2026, 10, 21, 0, 7, 53));
      const sender = new SyslogSender(parseSyslogTarget(`udp://127.0.0.1:${port}`), clock);
      const output = new SyslogOutput(sender);
      try {
        for (const datagram of expected) {
          const line = datagram.replace(/^.*? falco: /, "");
          const word = /"priority":"(\w+)"|\d: (\w+)/.exec(json ? line : line)!;
          const alert = json ? parseAlert(line) : buildAlert({
            priority: word[2]!.toLowerCase() as "alert",
          });
          await output.write({ alert, line });
        }
        await all;
        assert.deepEqual(received, expected);
        await output.write(message("x".repeat(300_000)));
        assert.equal(output.lost, 1);
      } finally {
        output.close();
        socket.close();
      }
    });
  }

  it(
    "runs logger with the tag, the priority and the text as it is",
    { skip: !isPosix },
    async () => {
      // Stands for the machine's own, whose messages a test cannot read.
      const tools = newPath();
      const seen = newPath();
      mkdirSync(tools);
      const script = `#!/bin/sh\nprintf '%s|' "$@" >> ${seen}\necho >> ${seen}\n` +
        'case "$*" in *fail*) exit 1;; esac\n';
      writeFileSync(join(tools, "logger"), script, { mode: 0o755 });
      const path = process.env["PATH"];
      process.env["PATH"] = `${tools}:${path}`;
      try {
        const output = new SyslogOutput(
          new SyslogSender(parseSyslogTarget("logger"), new FakeClock()),
        );
        const texts = ["-n $(id) `id`", 'two  "words"', "fail"];
        for (
          const [index, priority] of (["critical", "debug", "informational"] as const).entries()
        ) {
          await output.write({ alert: buildAlert({ priority }), line: texts[index]! });
        }
        assert.equal(output.lost, 1);
        output.close();
      } finally {
        process.env["PATH"] = path;
      }
      assert.deepEqual(readFileSync(seen, "utf8").split("\n"), [
        "-t|falco|-p|user.crit|--|-n $(id) `id`|",
        '-t|falco|-p|user.debug|--|two  "words"|',
        "-t|falco|-p|user.info|--|fail|",
        "",
      ]);
    },
  );

  it("reads where to send to", () => {
    assert.deepEqual(parseSyslogTarget("udp://[::1]"), { kind: "udp", host: "::1", port: 514 });
    assert.deepEqual(parseSyslogTarget("logger"), { kind: "logger" });
    for (
      const wrong of ["", "localhost", "tcp://localhost:1", "udp://", "udp://h/path", "/dev/log"]
    ) {
      assert.throws(() => parseSyslogTarget(wrong), TypeError, wrong);
    }
  });
});

/** A channel that is told when to go on. */
class HeldOutput implements AlertOutput {
  readonly name: string;
  readonly lost = 0;
  readonly written: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly #isHeld: boolean;

  constructor(name: string, isHeld: boolean) {
    this.name = name;
    this.#isHeld = isHeld;
  }

  write({ line }: OutputMessage): void | Promise<void> {
    this.written.push(line);
    if (this.#isHeld) return new Promise((resolve) => this.#held.push(resolve));
  }

  reopen(): void {
    this.written.push("reopened");
  }

  close(): void {
    this.written.push("closed");
  }

  free(): void {
    this.#held.shift()?.();
  }
}

describe("OutputWorker", () => {
  const setUp = (options: { capacity?: number; timeoutMs?: number } = {}) => {
    const { capacity = Infinity, timeoutMs = 2000 } = options;
    const clock = new FakeClock(0);
    const log: string[] = [];
    const before = new HeldOutput("stdout", false);
    const held = new HeldOutput("http", true);
    const behind = new HeldOutput("grpc", false);
    const worker = new OutputWorker([before, held, behind], {
      capacity,
      timeoutMs,
      clock,
      log: (level, text) => log.push(`${level} ${text}`),
    });
    const push = (...lines: string[]) => lines.forEach((line) => worker.push(message(line)));
    return { clock, log, before, held, behind, worker, push };
  };
  /** Lets promises go on. */
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

  it("has delivered when push() returns, as long as no channel has to be waited for", () => {
    const output = new HeldOutput("file", false);
    const worker = new OutputWorker([output], {
      capacity: 1,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: assert.fail,
    });
    for (const line of ["a", "b", "c"]) worker.push(message(line));
    assert.deepEqual(output.written, ["a", "b", "c"]);
    assert.equal(worker.dropped, 0);
  });

  it("lets a channel that blocks stop all others, and goes on in order", async () => {
    const { before, held, behind, worker, push } = setUp();
    push("a", "b");
    await turn();
    assert.deepEqual([before.written, held.written, behind.written], [["a"], ["a"], []]);
    held.free();
    await turn();
    assert.deepEqual([before.written, held.written, behind.written], [["a", "b"], ["a", "b"], [
      "a",
    ]]);
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "b"]);
  });

  it("complains of a channel that blocks once an alert, and never cancels it", async () => {
    const { clock, log, held, behind, worker, push } = setUp();
    push("a", "b");
    clock.advance(1999);
    assert.deepEqual(log, []);
    clock.advance(10_000);
    const complaint = 'critical "http" output timeout, all output channels are blocked';
    assert.deepEqual(log, [complaint]);
    held.free();
    await turn();
    clock.advance(2000);
    assert.deepEqual(log, [complaint, complaint]);
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "b"]);
  });

  it("drops the newest when the queue is full, logs it once and counts each", async () => {
    const { log, held, behind, worker, push } = setUp({ capacity: 5 });
    push(..."abcdefghij");
    assert.equal(worker.dropped, 4);
    assert.equal(worker.depth, 5);
    assert.deepEqual(log, ["error Outputs queue out of memory. Drop event and continue on ..."]);
    for (let i = 0; i < 6; i++) {
      held.free();
      await turn();
    }
    await worker.idle();
    assert.deepEqual(behind.written, [..."abcdef"]);
  });

  it("logs a channel that fails, and the others get the alert", () => {
    const log: string[] = [];
    const failing: AlertOutput = {
      name: "file",
      lost: 0,
      write: () => {
        throw new Error("failed to open output file x");
      },
    };
    const output = new HeldOutput("stdout", false);
    const worker = new OutputWorker([failing, output], {
      capacity: Infinity,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: (level, text) => log.push(`${level} ${text}`),
    });
    worker.push(message("a"));
    assert.deepEqual(output.written, ["a"]);
    assert.deepEqual(log, ["error file: failed to open output file x"]);
  });

  it("reopens when its turn has come", async () => {
    const { held, behind, worker, push } = setUp();
    push("a");
    worker.reopen();
    push("b");
    held.free();
    await turn();
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, ["a", "reopened", "b"]);
  });

  it("gives the queue output_timeout at the end, and throws the rest away", async () => {
    const { clock, log, held, behind, worker, push } = setUp();
    push("a", "b", "c", "d");
    const stopped = worker.stop();
    held.free();
    await turn();
    clock.advance(2000);
    assert(
      log.includes("notice output channels still blocked, discarding all remaining notifications"),
    );
    assert.equal(worker.discarded, 2);
    // The one in work is waited for without limit.
    held.free();
    await stopped;
    assert.deepEqual(behind.written, ["a", "b", "closed"]);
  });

  it("throws the queue away at once with output_timeout 0, and complains of nothing before", async () => {
    const { clock, log, held, worker, push } = setUp({ timeoutMs: 0 });
    push("a", "b");
    clock.advance(60_000);
    assert.deepEqual(log, []);
    const stopped = worker.stop();
    assert.equal(log.length, 1);
    assert.equal(worker.discarded, 1);
    held.free();
    await stopped;
  });

  it("does not go on to the next channel when it is killed at a later one", async () => {
    const [first, second] = [new HeldOutput("program", true), new HeldOutput("http", true)];
    const behind = new HeldOutput("grpc", false);
    const worker = new OutputWorker([first, second, behind], {
      capacity: Infinity,
      timeoutMs: 2000,
      clock: new FakeClock(0),
      log: assert.fail,
    });
    worker.push(message("a"));
    first.free();
    await turn();
    worker.kill();
    second.free();
    await worker.idle();
    assert.deepEqual(second.written, ["a"]);
    assert.deepEqual(behind.written, []);
  });

  it("leaves everything at once when it is killed", async () => {
    const { held, behind, worker, push } = setUp();
    push("a", "b");
    worker.kill();
    held.free();
    await worker.idle();
    assert.deepEqual(behind.written, []);
    assert.deepEqual(held.written, ["a"]);
  });
});
