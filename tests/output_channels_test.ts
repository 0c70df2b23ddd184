/** File, standard and program output: real files and processes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
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
import { join } from "node:path";
import { describe, it } from "node:test";
import { FileOutput } from "../harness/outputs/file_output.ts";
import { ProgramOutput } from "../harness/outputs/program_output.ts";
import { StdoutOutput } from "../harness/outputs/stdout_output.ts";
import { folder, isPosix, message, newPath, useFolder } from "./output_probes.ts";

useFolder();

/** Whether there is a full disk, and Deno lets one write to it. */
function canFillDisk(): boolean {
  try {
    closeSync(openSync("/dev/full", "a"));
    return true;
  } catch {
    return false;
  }
}

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
