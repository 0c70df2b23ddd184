/** The keys of falco.yaml. @module */

/** What a value must be: a word, or the keys of a mapping. */
export type SchemaType = "boolean" | "integer" | "number" | "string" | "list" | "any" | SchemaKeys;
/** The types of a mapping's keys. */
export interface SchemaKeys {
  readonly [key: string]: SchemaType;
}

const output: SchemaKeys = { enabled: "boolean" };
const container: SchemaKeys = { enabled: "boolean" };

/**
 * The keys that Falco 0.43 knows, as far as a configuration is checked here: not what is in lists.
 *
 * `grpc` lacks the keys of its certificates, as the real schema does, so that every Falco with mutual
 * TLS warns of them and goes on (measured on 0.43.1).
 */
const schema: SchemaKeys = {
  append_output: "list",
  base_syscalls: { all: "boolean", custom_set: "list", repair: "boolean" },
  buffer_format_base64: "boolean",
  buffered_outputs: "boolean",
  capture: {
    enabled: "boolean",
    path_prefix: "string",
    mode: "string",
    default_duration: "integer",
  },
  config_files: "list",
  container_engines: {
    docker: container,
    cri: { enabled: "boolean", sockets: "list", disable_async: "boolean" },
    podman: container,
    lxc: container,
    libvirt_lxc: container,
    bpm: container,
  },
  engine: {
    kind: "string",
    kmod: { buf_size_preset: "integer", drop_failed_exit: "boolean" },
    ebpf: { probe: "string", buf_size_preset: "integer", drop_failed_exit: "boolean" },
    modern_ebpf: {
      cpus_for_each_buffer: "integer",
      buf_size_preset: "integer",
      drop_failed_exit: "boolean",
    },
    replay: { capture_file: "string" },
    gvisor: { config: "string", root: "string" },
  },
  falco_libs: {
    thread_table_size: "integer",
    thread_table_auto_purging_interval_s: "integer",
    thread_table_auto_purging_thread_timeout_s: "integer",
    snaplen: "integer",
  },
  file_output: { enabled: "boolean", keep_alive: "boolean", filename: "string" },
  grpc: { enabled: "boolean", bind_address: "string", threadiness: "integer" },
  grpc_output: output,
  http_output: {
    enabled: "boolean",
    url: "string",
    user_agent: "string",
    insecure: "boolean",
    ca_cert: "string",
    ca_bundle: "string",
    ca_path: "string",
    mtls: "boolean",
    client_cert: "string",
    client_key: "string",
    echo: "boolean",
    compress_uploads: "boolean",
    keep_alive: "boolean",
    max_consecutive_timeouts: "integer",
  },
  json_include_message_property: "boolean",
  json_include_output_fields_property: "boolean",
  json_include_output_property: "boolean",
  json_include_tags_property: "boolean",
  json_output: "boolean",
  libs_logger: { enabled: "boolean", severity: "string" },
  load_plugins: "list",
  log_level: "string",
  log_stderr: "boolean",
  log_syslog: "boolean",
  metrics: {
    enabled: "boolean",
    interval: "string",
    output_rule: "boolean",
    output_file: "string",
    rules_counters_enabled: "boolean",
    resource_utilization_enabled: "boolean",
    state_counters_enabled: "boolean",
    kernel_event_counters_enabled: "boolean",
    kernel_event_counters_per_cpu_enabled: "boolean",
    libbpf_stats_enabled: "boolean",
    plugins_metrics_enabled: "boolean",
    jemalloc_stats_enabled: "boolean",
    convert_memory_to_mb: "boolean",
    include_empty_values: "boolean",
  },
  output_timeout: "integer",
  outputs_queue: { capacity: "integer" },
  outputs: { rate: "number", max_burst: "integer" },
  plugins: "list",
  plugins_hostinfo: "boolean",
  priority: "string",
  program_output: { enabled: "boolean", keep_alive: "boolean", program: "string" },
  rule_files: "list",
  rule_matching: "string",
  rules: "list",
  rules_file: "any",
  rules_files: "list",
  static_fields: "any",
  stdout_output: output,
  syscall_event_drops: {
    threshold: "number",
    actions: "list",
    rate: "number",
    max_burst: "integer",
    simulate_drops: "boolean",
  },
  syscall_event_timeouts: { max_consecutives: "integer" },
  syslog_output: output,
  time_format_iso_8601: "boolean",
  watch_config_files: "boolean",
  webserver: {
    enabled: "boolean",
    threadiness: "integer",
    listen_port: "integer",
    listen_address: "string",
    k8s_healthz_endpoint: "string",
    prometheus_metrics_enabled: "boolean",
    ssl_enabled: "boolean",
    ssl_certificate: "string",
  },
};

/** Keys that came later than the first Falco with gRPC, by the second number of its version. */
const since: Readonly<Record<string, number>> = {
  append_output: 40,
  buffer_format_base64: 40,
  json_include_message_property: 39,
  json_include_output_fields_property: 41,
  json_include_tags_property: 30,
  outputs_queue: 36,
};

/** Keys that were gone by then, likewise: the rate limit of all outputs, and the one rules file. */
const gone: Readonly<Record<string, number>> = {
  grpc: 44,
  grpc_output: 44,
  outputs: 37,
  rules_file: 40,
};

/** What the fake does something with; the other keys are for rules and kernels, which it has none of. */
const effective: ReadonlySet<string> = new Set([
  "buffered_outputs",
  "config_files",
  "file_output",
  "grpc",
  "grpc_output",
  "http_output",
  "json_include_message_property",
  "json_include_output_fields_property",
  "json_include_output_property",
  "json_include_tags_property",
  "json_output",
  "log_level",
  "log_stderr",
  "log_syslog",
  "output_timeout",
  "outputs_queue",
  "priority",
  "program_output",
  "stdout_output",
  "syslog_output",
  "time_format_iso_8601",
  "watch_config_files",
]);

/**
 * The keys that a Falco knows.
 *
 * @param minor The second of the three numbers of its version.
 * @returns Their types.
 */
export function schemaOf(minor: number): SchemaKeys {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) =>
      minor >= (since[key] ?? 0) && minor < (gone[key] ?? Infinity)
    ),
  );
}

/**
 * Says whether a key of the outermost mapping matters to the fake.
 *
 * @param key The key.
 * @returns False for those that only a real Falco acts on.
 */
export function hasEffect(key: string): boolean {
  return effective.has(key);
}
