/** Certificates that are no good: the message has the option as it was typed, not the library's name. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { runCli } from "./run_cli.ts";

let folder: TempFolder;

before(async () => {
  folder = await makeTempFolder();
  for (const name of ["ours", "theirs"]) {
    await writeCertificates(join(folder.path, name), await makeCertificates());
  }
});
after(() => folder.remove());

/** What a command says of files in the folder that it cannot use; nobody listens at the address. */
async function complaint(args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runCli(
    args.map((one) => one.replace(/^\.\//, `${folder.path}/`)),
  );
  assert.deepEqual([status, stdout], [1, ""], stderr);
  return stderr.trimEnd().split("\n").at(-1)!.replaceAll(`${folder.path}/`, "./");
}

const address = "https://127.0.0.1:1";
const ours = ["--certs", "./ours"];

const cases: readonly { name: string; args: readonly string[]; words: RegExp }[] = [
  {
    name: "tail, of one beside a folder",
    args: ["tail", "--no-reconnect", ...ours, "--ca", "./none.crt", address],
    words: /: the file "\.\/none\.crt" of the option "--ca" cannot be read /,
  },
  {
    name: "tail, of the two that belong together",
    args: ["tail", "--no-reconnect", ...ours, "--key", "./theirs/client.key", address],
    words: new RegExp(
      ': the key in the file "./theirs/client.key" of the option "--key" does not belong to the ' +
        'certificate in the file "./ours/client.crt" of the option "--certs"\\. ',
    ),
  },
  {
    name: "record",
    args: [
      "record",
      "--no-reconnect",
      ...ours,
      "--cert",
      "./ours/client.key",
      "-o",
      "./none.jsonl",
      address,
    ],
    words: /: the file "\.\/ours\/client\.key" of the option "--cert" holds no certificate, but /,
  },
  {
    name: "contract",
    args: ["contract", ...ours, "--cert", "./none.crt", address],
    words: /: the file "\.\/none\.crt" of the option "--cert" cannot be read /,
  },
  {
    name: "a receiver, of its own certificate",
    args: ["tail", "--certs", "./none", "https-receiver://127.0.0.1:0/"],
    words: /receiver: the file "\.\/none\/server\.crt" of the option "--certs" cannot be read /,
  },
  {
    name: "a receiver, of its senders' authority",
    args: ["tail", ...ours, "--ca", "./ours/ca.key", "https-receiver://127.0.0.1:0/"],
    words: /receiver: the file "\.\/ours\/ca\.key" of the option "--ca" cannot be read /,
  },
];

describe("the option is called as it was typed by", () => {
  for (const { name, args, words } of cases) {
    it(name, async () => assert.match(await complaint(args), words));
  }

  it("doctor", async () => {
    const args = ["doctor", "--json", ...ours, "--key", "./none.key", address]
      .map((one) => one.replace(/^\.\//, `${folder.path}/`));
    const { checks } = JSON.parse((await runCli(args)).stdout);
    const own = checks.find(({ check }: { check: string }) => check === "certificates");
    assert.match(own.text, /^the file ".*none\.key" of the option "--key" cannot be read /);
  });
});
