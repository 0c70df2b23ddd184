/**
 * Falco's security alerts as Web Streams.
 *
 * [Falco](https://falco.org) raises alerts on Linux hosts and containers. {@linkcode connect} reads
 * them over Falco's gRPC API (Falco 0.18 to 0.43) as a `ReadableStream` of {@linkcode Alert}s, on
 * Deno, Node and Bun; operators such as {@linkcode FilterStream} and {@linkcode BatchStream} shape
 * the stream, sinks such as {@linkcode JsonLinesSink} and {@linkcode WebhookSink} deliver it. Newer
 * versions have no gRPC: {@linkcode openAlerts} reads what they post, write or print.
 *
 * ```ts
 * import { BatchStream, connect, FilterStream, isAtLeast } from "@falco-streams/core";
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * // A fake Falco to try it with: the real one is at unix:///run/falco/falco.sock.
 * const fake = await FakeFalco.start();
 * await fake.replay(scenarios.cryptoMiner);
 *
 * const falco = connect(fake.address);
 * const batches = falco.outputs.get()
 *   .pipeThrough(new FilterStream((alert) => isAtLeast(alert.priority, "warning")))
 *   .pipeThrough(new BatchStream(10, { maxWaitMs: 1000 }));
 * for await (const batch of batches) assert(batch.length <= 10);
 *
 * await falco.close();
 * await fake.stop();
 * ```
 *
 * ## An alert
 *
 * An {@linkcode Alert} is a plain object: `time`, `priority`, `rule`, `output`, `outputFields`,
 * `source`, `hostname`, `tags`. {@linkcode field} reads an output field, and is `undefined` where
 * Falco had no value. {@linkcode formatAlert} and {@linkcode parseAlert} write and read Falco's own
 * JSON lines.
 *
 * ## Alerts as they are raised
 *
 * `get()` ends with what is queued. `subscribe()` lives on, outlives restarts of Falco, and says what
 * becomes of it; leaving the loop ends it. Conditions can be in the language of Falco's rules.
 *
 * ```ts
 * import { connect, DedupeStream, field, FilterStream } from "@falco-streams/core";
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * await fake.replay(scenarios.shellInContainer);
 * const falco = connect(fake.address);
 *
 * const alerts = falco.outputs.subscribe(); // { signal, reconnect: { maxAttempts: 10 } }
 * const shells = alerts
 *   .pipeThrough(new FilterStream("alert.priority >= notice and proc.name in (bash, sh)"))
 *   .pipeThrough(new DedupeStream((alert) => alert.rule, { windowMs: 60_000 }));
 * for await (const alert of shells) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   assert.equal(field(alert, "proc.name"), "bash");
 *   break;
 * }
 * assert.equal(alerts.stats().gaps, 0); // alerts.status() tells the story as it happens
 *
 * await falco.close();
 * await fake.stop();
 * ```
 *
 * Over TCP Falco wants a client certificate:
 * `connect("https://falco.example.com:5060", { tls: { ca, cert, key } })`, each a path or PEM text.
 * What cannot heal fails at once, with a {@linkcode FalcoConnectError} or {@linkcode FalcoRpcError}
 * that names cause and remedy; all errors are {@linkcode FalcoError}s.
 *
 * ## Where they go
 *
 * Everything is an ordinary Web Stream: `pipeTo` any writable, or one of the sinks
 * ({@linkcode WebhookSink}, {@linkcode FileSink}, {@linkcode SyslogSink}, {@linkcode ProgramSink}),
 * which deliver in order from a bounded buffer, try again, and count.
 *
 * ```ts
 * import { fromJsonLines, HttpReceiver, WebhookSink } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * // What a Falco of any version prints with json_output, on its way to somebody who listens.
 * const printed = new Blob([`{"time":"2026-01-01T00:00:00.5Z","rule":"A","priority":"Notice",` +
 *   `"output":"o","output_fields":{"proc.name":"cat"}}\n`]).stream();
 * const receiver = await HttpReceiver.start({ port: 0 });
 * const sink = new WebhookSink(receiver.url); // { retry, overflow, deadLetters }
 * await fromJsonLines(printed).pipeTo(sink);
 * assert.equal(sink.stats().delivered, 1);
 * for await (const alert of receiver) {
 *   assert.equal(alert.rule, "A");
 *   break;
 * }
 * ```
 *
 * ## Testing, and permissions
 *
 * `@falco-streams/core/harness` is the fake Falco of these examples, for tests of your own pipeline.
 * On Deno a unix socket takes `--allow-net=unix:PATH --allow-read=PATH --allow-write=PATH`, TLS
 * `--allow-net=HOST:PORT`, and `--allow-read` for certificates in files; README has the flags of
 * sources and sinks. What is missing is named in the error.
 *
 * ## What to know about Falco's gRPC
 *
 * - It is gone since Falco 0.44. The alerts here are the same whichever way they come.
 * - Delivery is at most once: an alert that Falco has sent and nobody took is lost.
 * - All clients share one queue, and each alert goes to one of them.
 * - While nobody reads, Falco keeps the alerts in its memory, without a limit.
 * - Alerts hold text that whoever runs processes on the watched host has chosen. Never print it to a
 *   terminal as it is.
 *
 * ## Limitations
 *
 * - On Deno 2.9 a GOAWAY from Falco, as it sends when it stops, can crash the process if a call was
 *   cancelled on the same connection before (a fault in its `node:http2`, rarely met).
 *
 * @module
 */
export { field } from "./lib/alert/alert.ts";
export type {
  Alert,
  AlertFields,
  AlertTime,
  FieldValue,
  OmittedProperty,
} from "./lib/alert/alert.ts";
export { formatAlert } from "./lib/alert/format_alert.ts";
export { messageOf } from "./lib/alert/message.ts";
export { parseAlert } from "./lib/alert/parse_alert.ts";
export type { ParseAlertOptions } from "./lib/alert/parse_alert.ts";
export { comparePriorities, isAtLeast, parsePriority, priorities } from "./lib/alert/priority.ts";
export type { Priority } from "./lib/alert/priority.ts";
export type { Repair } from "./lib/alert/repair.ts";
export type { ReconnectOptions } from "./lib/client/backoff.ts";
export type { CallOptions } from "./lib/client/call_source.ts";
export { connect } from "./lib/client/connect.ts";
export type {
  ConnectOptions,
  FalcoClient,
  FalcoOutputs,
  GetOptions,
  VersionOptions,
} from "./lib/client/connect.ts";
export type { FalcoVersion } from "./lib/client/falco_version.ts";
export type { PollOptions } from "./lib/client/poll_pacer.ts";
export type { Status, SubscribeMethod } from "./lib/client/status.ts";
export { Subscription } from "./lib/client/subscription.ts";
export type { SubscribeOptions, SubscriptionStats } from "./lib/client/subscription.ts";
export { systemClock, wait } from "./lib/clock.ts";
export type { CancelTimer, Clock } from "./lib/clock.ts";
export { compileCondition } from "./lib/condition/compile_condition.ts";
export type { CompiledCondition, ConditionOptions } from "./lib/condition/compile_condition.ts";
export { ConditionError } from "./lib/condition/condition_error.ts";
export {
  AlertFormatError,
  FalcoClosedError,
  FalcoConnectError,
  FalcoError,
  FalcoRpcError,
  OverflowError,
} from "./lib/errors.ts";
export type { FalcoConnectReason } from "./lib/errors.ts";
export { DeliveryError } from "./lib/sinks/delivery_error.ts";
export type {
  Delivered,
  DeliveryOptions,
  DeliveryStats,
  DropReason,
  RetryOptions,
} from "./lib/sinks/delivery_options.ts";
export { FileSink } from "./lib/sinks/file_sink.ts";
export type { FileSinkOptions, FileSinkStats } from "./lib/sinks/file_sink.ts";
export { JsonLinesSink } from "./lib/sinks/json_lines_sink.ts";
export type { JsonLinesSinkOptions } from "./lib/sinks/json_lines_sink.ts";
export { ProgramSink } from "./lib/sinks/program_sink.ts";
export type { ProgramSinkOptions, ProgramSinkStats } from "./lib/sinks/program_sink.ts";
export { SyslogSink } from "./lib/sinks/syslog_sink.ts";
export type {
  SyslogFacility,
  SyslogSinkOptions,
  SyslogSinkStats,
} from "./lib/sinks/syslog_sink.ts";
export { WebhookSink } from "./lib/sinks/webhook_sink.ts";
export type { WebhookBody, WebhookSinkOptions } from "./lib/sinks/webhook_sink.ts";
export type { FilePosition } from "./lib/sources/file_position.ts";
export { FollowedFile, followFile } from "./lib/sources/follow_file.ts";
export type { FollowFileOptions } from "./lib/sources/follow_file.ts";
export type { FollowStatus } from "./lib/sources/follow_status.ts";
export { AlertLines, fromJsonLines } from "./lib/sources/from_json_lines.ts";
export { HttpReceiver } from "./lib/sources/http_receiver.ts";
export type {
  HttpReceiverOptions,
  HttpReceiverStats,
  ReceiverTls,
  RefusalReason,
} from "./lib/sources/http_receiver_options.ts";
export type {
  LinePlace,
  LineSourceOptions,
  LineSourceStats,
} from "./lib/sources/line_source_options.ts";
export { openAlerts } from "./lib/sources/open_alerts.ts";
export type { OpenAlertsOptions, OpenedAlerts } from "./lib/sources/open_alerts.ts";
export { BatchStream } from "./lib/streams/batch_stream.ts";
export type { BatchStreamOptions } from "./lib/streams/batch_stream.ts";
export { broadcastReadableStream } from "./lib/streams/broadcast_readable_stream.ts";
export type { BroadcastReadableStreamOptions } from "./lib/streams/broadcast_readable_stream.ts";
export { BufferStream } from "./lib/streams/buffer_stream.ts";
export type { BufferStreamOptions } from "./lib/streams/buffer_stream.ts";
export { CatchStream } from "./lib/streams/catch_stream.ts";
export type { CatchStreamOptions } from "./lib/streams/catch_stream.ts";
export { CountByStream } from "./lib/streams/count_by_stream.ts";
export type { CountByStreamOptions, CountResult } from "./lib/streams/count_by_stream.ts";
export { DedupeStream } from "./lib/streams/dedupe_stream.ts";
export type { DedupeStreamOptions } from "./lib/streams/dedupe_stream.ts";
export type { BatchSource } from "./lib/streams/engine/batch_source.ts";
export { compose } from "./lib/streams/engine/compose.ts";
export { EventStream } from "./lib/streams/engine/event_stream.ts";
export { OperatorStream } from "./lib/streams/engine/operator_stream.ts";
export { SinkStream } from "./lib/streams/engine/sink_stream.ts";
export type { ItemSink, SinkStreamOptions } from "./lib/streams/engine/sink_stream.ts";
export type {
  AnyStageFactory,
  Stage,
  StageContext,
  StageFactory,
} from "./lib/streams/engine/stage.ts";
export type { BranchStream } from "./lib/streams/fan_out.ts";
export { FilterStream } from "./lib/streams/filter_stream.ts";
export { FlatMapStream } from "./lib/streams/flat_map_stream.ts";
export { LimitStream } from "./lib/streams/limit_stream.ts";
export { MapAsyncStream } from "./lib/streams/map_async_stream.ts";
export type { MapAsyncStreamOptions } from "./lib/streams/map_async_stream.ts";
export { MapStream } from "./lib/streams/map_stream.ts";
export { mergeReadableStreams } from "./lib/streams/merge_readable_streams.ts";
export type {
  MergeFailure,
  MergeReadableStreamsOptions,
} from "./lib/streams/merge_readable_streams.ts";
export type { Overflow } from "./lib/streams/overflow.ts";
export { RateLimitStream } from "./lib/streams/rate_limit_stream.ts";
export type { RateLimitStreamOptions } from "./lib/streams/rate_limit_stream.ts";
export { RedactStream } from "./lib/streams/redact_stream.ts";
export type { RedactStreamOptions } from "./lib/streams/redact_stream.ts";
export { routeReadableStream } from "./lib/streams/route_readable_stream.ts";
export type {
  RoutedStreams,
  RouteReadableStreamOptions,
} from "./lib/streams/route_readable_stream.ts";
export { ScanStream } from "./lib/streams/scan_stream.ts";
export { SkipStream } from "./lib/streams/skip_stream.ts";
export { TakeWhileStream } from "./lib/streams/take_while_stream.ts";
export type { TakeWhileStreamOptions } from "./lib/streams/take_while_stream.ts";
export { TapStream } from "./lib/streams/tap_stream.ts";
export { count, first, forEach, toArray } from "./lib/streams/terminals.ts";
export type { ForEachOptions, TerminalOptions } from "./lib/streams/terminals.ts";
export { ThrottleStream } from "./lib/streams/throttle_stream.ts";
export type { ThrottleStreamOptions } from "./lib/streams/throttle_stream.ts";
export { TimeoutStream } from "./lib/streams/timeout_stream.ts";
export type { TimeoutStreamOptions } from "./lib/streams/timeout_stream.ts";
export { TumblingWindowStream } from "./lib/streams/tumbling_window_stream.ts";
export type {
  TumblingWindowStreamOptions,
  WindowAggregate,
} from "./lib/streams/tumbling_window_stream.ts";
export type { WindowResult } from "./lib/streams/window_stage.ts";
export type { TlsCredentials } from "./lib/transport/credentials.ts";
