/** Fakes from a `falco.yaml`, and a folder for it, that the tests of such fakes share. @module */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import process from "node:process";
import { after, before } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { FakeFalcoConfigOptions } from "../harness/falco_config/fake_falco_config_options.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";

/** Whether there are unix sockets and signals. */
export const isPosix = process.platform !== "win32";

/** A folder that is there while the tests of a file run, and new paths in it. */
export interface OwnFolder {
  readonly path: string;
  newPath(name?: string): string;
}

/** Makes and fills a folder before the tests of the file that calls this; removes it after them. */
export function useFolder(fill: (path: string) => Promise<void> = async () => {}): OwnFolder {
  let folder: TempFolder;
  let count = 0;
  before(async () => {
    folder = await makeTempFolder();
    await fill(folder.path);
  });
  after(() => folder.remove());
  return {
    get path() {
      return folder.path;
    },
    newPath: (name = "file") => join(folder.path, `${name}-${count++}`),
  };
}

/** Starts a fake with its standard streams collected, and ends it whatever the test does. */
export async function withFake(
  source: string,
  test: (fake: FakeFalco, streams: { stdout(): string; stderr(): string }) => Promise<void>,
  options: FakeFalcoConfigOptions = {},
): Promise<void> {
  let stdout = "";
  let stderr = "";
  const fake = await FakeFalco.fromConfig(source, {
    stdout: (bytes) => void (stdout += Buffer.from(bytes).toString()),
    stderr: (bytes) => void (stderr += Buffer.from(bytes).toString()),
    env: {},
    ...options,
  });
  try {
    await test(fake, { stdout: () => stdout, stderr: () => stderr });
  } finally {
    await fake.kill();
  }
}

/** The documentation's configuration of a socket. */
export const unixConfig = (path: string): string =>
  `grpc:
  enabled: true
  bind_address: "unix://${path}"
  threadiness: 8
grpc_output:
  enabled: true
`;
