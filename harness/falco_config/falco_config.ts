/** What a `falco.yaml` comes to. @module */
import type { Priority } from "../../lib/alert/priority.ts";
import type { LogLevel } from "../outputs/falco_log.ts";
import type { FalcoConfigWarning } from "./config_error.ts";

/**
 * The part of Falco's configuration that a fake Falco acts on, with every default filled in.
 *
 * The defaults are those of Falco's code for a key that is absent, which differ from what the
 * `falco.yaml` of its packages says: without `stdout_output` nothing goes to standard output, and
 * `grpc_output` is on.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const config: FalcoConfig = parseFalcoConfig(`
 * grpc:
 *   enabled: true
 *   bind_address: "unix:///run/falco/falco.sock"
 * `);
 * assert.equal(config.grpc?.bindAddress, "unix:///run/falco/falco.sock");
 * assert.equal(config.grpcOutput, true);
 * assert.equal(config.stdoutOutput, false);
 * ```
 */
export interface FalcoConfig {
  /** The file, and the ones that its `config_files` named. */
  readonly files: readonly string[];
  /** What Falco goes on with, though not as meant; in the order of the files. */
  readonly warnings: readonly FalcoConfigWarning[];
  /** Keys that a real Falco would act on and the fake does not, such as `rules_files`; sorted. */
  readonly withoutEffect: readonly string[];
  /** `grpc`; undefined if it is off, or if that Falco has none. */
  readonly grpc: FalcoGrpcConfig | undefined;
  /** Whether alerts go to gRPC clients: `grpc.enabled` and `grpc_output.enabled`. */
  readonly grpcOutput: boolean;
  /** `json_output`. */
  readonly jsonOutput: boolean;
  /** `json_include_output_property`. */
  readonly jsonIncludeOutput: boolean;
  /** `json_include_tags_property`. */
  readonly jsonIncludeTags: boolean;
  /** `json_include_message_property`. */
  readonly jsonIncludeMessage: boolean;
  /** `json_include_output_fields_property`. */
  readonly jsonIncludeOutputFields: boolean;
  /** `time_format_iso_8601`. */
  readonly timeFormatIso8601: boolean;
  /** `priority`: less severe alerts are not raised at all. */
  readonly priority: Priority;
  /** `buffered_outputs`, which Falco looks at from 0.44 on; before that it is true, whatever the file says. */
  readonly bufferedOutputs: boolean;
  /** `outputs_queue.capacity`; `Infinity` for 0. */
  readonly queueCapacity: number;
  /** `output_timeout` in milliseconds. */
  readonly outputTimeoutMs: number;
  /** `log_level`. */
  readonly logLevel: LogLevel;
  /** `log_stderr`. */
  readonly logStderr: boolean;
  /** `log_syslog`. */
  readonly logSyslog: boolean;
  /** `watch_config_files`: whether SIGHUP does anything. */
  readonly watchConfigFiles: boolean;
  /** `stdout_output.enabled`. */
  readonly stdoutOutput: boolean;
  /** `syslog_output.enabled`. */
  readonly syslogOutput: boolean;
  /** `file_output`; undefined if it is off. */
  readonly fileOutput: FalcoFileConfig | undefined;
  /** `program_output`; undefined if it is off. */
  readonly programOutput: FalcoProgramConfig | undefined;
  /** `http_output`; undefined if it is off. */
  readonly httpOutput: FalcoHttpConfig | undefined;
}

/**
 * The `grpc` section.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoGrpcConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const { grpc } = parseFalcoConfig("grpc: { enabled: true }");
 * assert.deepEqual(
 *   grpc satisfies FalcoGrpcConfig | undefined,
 *   {
 *     bindAddress: "0.0.0.0:5060",
 *     threadiness: 0,
 *     privateKey: "/etc/falco/certs/server.key",
 *     certChain: "/etc/falco/certs/server.crt",
 *     rootCerts: "/etc/falco/certs/ca.crt",
 *   },
 * );
 * ```
 */
export interface FalcoGrpcConfig {
  /** `bind_address`: what begins with `unix://` is a socket in plain text; all else is mutual TLS. */
  readonly bindAddress: string;
  /** `threadiness`; 0 is one for each core. */
  readonly threadiness: number;
  /** `private_key`: the path of the server's key. */
  readonly privateKey: string;
  /** `cert_chain`: the path of the server's certificate. */
  readonly certChain: string;
  /** `root_certs`: the path of the authorities of clients. */
  readonly rootCerts: string;
}

/**
 * The `file_output` section.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoFileConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const text = "file_output: { enabled: true, filename: ./events.txt }";
 * const file: FalcoFileConfig | undefined = parseFalcoConfig(text).fileOutput;
 * assert.deepEqual(file, { filename: "./events.txt", keepAlive: false });
 * ```
 */
export interface FalcoFileConfig {
  /** `filename`: where to append; made with mode 0666 less the umask. */
  readonly filename: string;
  /** `keep_alive`: opens the file once instead of for each alert. */
  readonly keepAlive: boolean;
}

/**
 * The `program_output` section.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoProgramConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const text = "program_output: { enabled: true, program: mail -s alert root }";
 * const program: FalcoProgramConfig | undefined = parseFalcoConfig(text).programOutput;
 * assert.deepEqual(program, { program: "mail -s alert root", keepAlive: false });
 * ```
 */
export interface FalcoProgramConfig {
  /** `program`: a line for `/bin/sh -c`. */
  readonly program: string;
  /** `keep_alive`: one shell for all alerts instead of one for each. */
  readonly keepAlive: boolean;
}

/**
 * The `http_output` section.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoHttpConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const text = "http_output: { enabled: true, url: http://localhost:2801/ }";
 * const http: FalcoHttpConfig | undefined = parseFalcoConfig(text).httpOutput;
 * assert.equal(http?.userAgent, "falcosecurity/falco");
 * assert.equal(http?.maxConsecutiveTimeouts, 5);
 * ```
 */
export interface FalcoHttpConfig {
  /** `url`. */
  readonly url: string;
  /** `user_agent`; empty: no such header. */
  readonly userAgent: string;
  /** `insecure`: any server certificate will do. */
  readonly insecure: boolean;
  /** `ca_cert`: a file of authorities. */
  readonly caCert: string;
  /** `ca_bundle`: another one, if there is no `ca_cert`. */
  readonly caBundle: string;
  /** `ca_path`: a folder of authorities, if there is neither. */
  readonly caPath: string;
  /** `mtls`: shows `client_cert`. */
  readonly mtls: boolean;
  /** `client_cert`. */
  readonly clientCert: string;
  /** `client_key`. */
  readonly clientKey: string;
  /** `echo`: prints what the server answers. */
  readonly echo: boolean;
  /** `compress_uploads`: two headers, and nothing is compressed. */
  readonly compressUploads: boolean;
  /** `keep_alive`: TCP keepalive; the connection is used again in any case. */
  readonly keepAlive: boolean;
  /** `max_consecutive_timeouts`: how many more times to connect when nobody answers. */
  readonly maxConsecutiveTimeouts: number;
}
