/** The clients, and how to get each. @module */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why a client cannot be had here: its tool chain is missing. */
export class MissingTool extends Error {}

/** A client that is ready to run. */
export interface ReadyClient {
  /** The program and its first arguments; the address, the certificates' folder and a mode follow. */
  readonly command: readonly string[];
  /** What exactly it is, with its version and that of what it runs on. */
  readonly version: string;
}

/** What can be asked of a client. */
export interface InteropClient {
  readonly name: string;
  /** `rpc`: the programs of this folder; the others have checks of their own. */
  readonly kind: "rpc" | "grpcurl" | "openssl";
  /** Whether it speaks the API of 0.18 to 0.23, too. */
  readonly legacy?: boolean;
  /**
   * What it calls an end that it finds by itself, if not what gRPC's own libraries call it: its
   * deadline (4), a connection that breaks in a call (14). No server has a say in these.
   */
  readonly ownStatuses?: { readonly deadline: number; readonly lost: number };
  /**
   * Gets it ready.
   *
   * @param source The folder of this file.
   * @param folder An own folder to build in; what is there from an earlier time is used again.
   * @throws {MissingTool} If this machine lacks the tool chain.
   */
  prepare(source: string, folder: string): Promise<ReadyClient>;
}

/** All of them. */
export const clients: readonly InteropClient[] = [
  {
    name: "go",
    kind: "rpc",
    async prepare(source, folder) {
      const go = await version("go", ["version"], /go(\d+\.\d+(\.\d+)?)/);
      const binary = join(folder, "client");
      await build("go", ["build", "-o", binary, "."], join(source, "go"));
      const { stdout } = await run("go", ["version", "-m", binary]);
      const of = (module: string) => stdout.match(new RegExp(`${module}\\s+(v\\S+)`))?.[1];
      return {
        command: [binary],
        version: `falcosecurity/client-go ${of("falcosecurity/client-go")}, grpc-go ${
          of("google.golang.org/grpc")
        }, go ${go}`,
      };
    },
  },
  {
    name: "python",
    kind: "rpc",
    legacy: true,
    async prepare(source, folder) {
      const found = await version("python3", ["--version"], /Python (\S+)/);
      const python = join(folder, "bin", process.platform === "win32" ? "python.exe" : "python");
      const requirements = join(source, "python", "requirements.txt");
      // Again only if something else is wanted than what is there.
      const wanted = `${found} ${await readFile(requirements, "utf8")}`;
      const stamp = join(folder, "wanted");
      if (await readFile(stamp, "utf8").catch(() => "") !== wanted) {
        await build("python3", ["-m", "venv", "--clear", folder], source);
        await build(python, ["-m", "pip", "install", "--quiet", "-r", requirements], source);
        await writeFile(stamp, wanted);
      }
      const out = join(folder, "program");
      await mkdir(out, { recursive: true });
      const proto = join(source, "..", "..", "proto");
      const files = ["outputs", "version", "schema", "legacy_output"].map((name) =>
        join(proto, `${name}.proto`)
      );
      const generate = ["-m", "grpc_tools.protoc", `-I${proto}`];
      await build(python, [
        ...generate,
        `--python_out=${out}`,
        `--grpc_python_out=${out}`,
        ...files,
      ], source);
      await cp(join(source, "python", "main.py"), join(out, "main.py"));
      const grpcio = await version(python, ["-c", "import grpc; print(grpc.__version__)"], /(\S+)/);
      return {
        command: [python, join(out, "main.py")],
        version: `grpcio ${grpcio}, Python ${found}`,
      };
    },
  },
  {
    name: "grpc-js",
    kind: "rpc",
    legacy: true,
    async prepare(source, folder) {
      const found = await version("node", ["--version"], /(v\S+)/);
      for (const name of ["main.mjs", "deno.json", "deno.lock"]) {
        await cp(join(source, "grpc_js", name), join(folder, name));
      }
      const install = ["install", "--quiet", "--node-modules-dir=auto"];
      await build(process.execPath, install, folder);
      const manifest = join(folder, "node_modules", "@grpc", "grpc-js", "package.json");
      const { version: own } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
      const proto = join(source, "..", "..", "proto");
      return {
        command: ["node", join(folder, "main.mjs"), proto],
        version: `@grpc/grpc-js ${own}, Node ${found}`,
      };
    },
  },
  {
    name: "rust",
    kind: "rpc",
    legacy: true,
    // tonic: "Timeout expired" is CANCELLED, "error reading a body from connection" is UNKNOWN.
    ownStatuses: { deadline: 1, lost: 2 },
    async prepare(source, folder) {
      const rust = await version("cargo", ["--version"], /cargo (\S+)/);
      // The lock file is made here: it would name a registry.
      for (const name of ["Cargo.toml", "build.rs", "src"]) {
        await cp(join(source, "rust", name), join(folder, name), { recursive: true });
      }
      const proto = join(source, "..", "..", "proto");
      await build("cargo", ["build", "--quiet"], folder, { FALCO_PROTO: proto });
      const lock = await readFile(join(folder, "Cargo.lock"), "utf8");
      const tonic = /name = "tonic"\nversion = "([^"]+)"/.exec(lock)?.[1];
      return {
        command: [join(folder, "target", "debug", "falco-interop")],
        version: `tonic ${tonic}, Rust ${rust}`,
      };
    },
  },
  {
    name: "grpcurl",
    kind: "grpcurl",
    async prepare(source, folder) {
      await version("go", ["version"], /go(\S+)/);
      const binary = join(folder, "grpcurl");
      const command = "github.com/fullstorydev/grpcurl/cmd/grpcurl";
      await build("go", ["build", "-o", binary, command], join(source, "grpcurl"));
      const { stdout } = await run("go", ["version", "-m", binary]);
      return { command: [binary], version: stdout.match(/fullstorydev\/grpcurl\s+(v\S+)/)![1]! };
    },
  },
  {
    name: "openssl",
    kind: "openssl",
    async prepare() {
      const found = await version("openssl", ["version"], /OpenSSL (\S+)/);
      return { command: ["openssl"], version: `OpenSSL ${found}` };
    },
  },
];

/** Looks whether a tool is there, and which. */
async function version(tool: string, args: readonly string[], pattern: RegExp): Promise<string> {
  try {
    const { stdout } = await run(tool, [...args]);
    return pattern.exec(stdout)?.[1] ?? stdout.trim();
  } catch (cause) {
    throw new MissingTool(`there is no ${tool} here`, { cause });
  }
}

/** Builds, with all that the tool has to say if it fails. */
async function build(
  tool: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  try {
    const env = { ...process.env, ...variables };
    await run(tool, [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${tool} ${args.join(" ")} failed: ${(stderr || stdout).slice(-2000)}`);
  }
}
