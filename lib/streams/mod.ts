/**
 * Streams of alerts, and what goes between them: filter, batch, drop duplicates, limit.
 *
 * Everything here is a Web Stream. An {@linkcode EventStream} is a `ReadableStream`, an operator such as
 * {@linkcode FilterStream} goes into `pipeThrough` of any `ReadableStream`, and a
 * {@linkcode SinkStream} is a `WritableStream`. They mix with the streams of other libraries and of the
 * platform. Nothing here knows about Falco's carriers or needs a runtime's own modules, so it
 * runs in a browser too.
 *
 * What all pipelines of these have in common:
 * - Nothing happens before somebody reads, and no item is asked for before it is wanted.
 * - `break` out of `for await`, `cancel()` and an aborted `signal` reach the source with their reason.
 * - An error comes out at the end as the very object that was thrown, after the items before it.
 * - Nothing is dropped in silence: an operator that drops has a counter and a callback.
 * - Durations are milliseconds; every operator that looks at the time takes a `clock`.
 *
 * An operator can be used once: make a new one for each pipeline, or write a function that makes a
 * {@linkcode compose}d one.
 *
 * @example Urgent alerts, no repetitions, in batches
 * ```ts
 * import { BatchStream, DedupeStream, EventStream } from "@falco-streams/core/streams";
 * import { FilterStream, SinkStream } from "@falco-streams/core/streams";
 * import { isAtLeast } from "@falco-streams/core";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * // In a program this is `falco.outputs.subscribe()`.
 * const alerts = EventStream.from<Alert>([
 *   buildAlert({ rule: "Terminal shell in container", priority: "notice" }),
 *   buildAlert({ rule: "Read sensitive file untrusted", priority: "warning" }),
 *   buildAlert({ rule: "Read sensitive file untrusted", priority: "warning" }),
 * ]);
 *
 * const stored: string[][] = [];
 * await alerts
 *   .pipeThrough(new FilterStream((alert) => isAtLeast(alert.priority, "warning")))
 *   .pipeThrough(new DedupeStream((alert) => alert.rule, { windowMs: 60_000 }))
 *   .pipeThrough(new BatchStream(100, { maxWaitMs: 1000 }))
 *   .pipeTo(new SinkStream({
 *     write(batch) {
 *       stored.push(batch.map((alert) => alert.rule));
 *     },
 *   }));
 * assert.deepEqual(stored, [["Read sensitive file untrusted"]]);
 * ```
 *
 * @module
 */
export { BatchStream } from "./batch_stream.ts";
export type { BatchStreamOptions } from "./batch_stream.ts";
export { broadcastReadableStream } from "./broadcast_readable_stream.ts";
export type { BroadcastReadableStreamOptions } from "./broadcast_readable_stream.ts";
export { BufferStream } from "./buffer_stream.ts";
export type { BufferStreamOptions } from "./buffer_stream.ts";
export { CatchStream } from "./catch_stream.ts";
export type { CatchStreamOptions } from "./catch_stream.ts";
export { CountByStream } from "./count_by_stream.ts";
export type { CountByStreamOptions, CountResult } from "./count_by_stream.ts";
export { DedupeStream } from "./dedupe_stream.ts";
export type { DedupeStreamOptions } from "./dedupe_stream.ts";
export type { BatchSource } from "./engine/batch_source.ts";
export { compose } from "./engine/compose.ts";
export { EventStream } from "./engine/event_stream.ts";
export { OperatorStream } from "./engine/operator_stream.ts";
export { SinkStream } from "./engine/sink_stream.ts";
export type { ItemSink, SinkStreamOptions } from "./engine/sink_stream.ts";
export type { AnyStageFactory, Stage, StageContext, StageFactory } from "./engine/stage.ts";
export type { BranchStream } from "./fan_out.ts";
export { FilterStream } from "./filter_stream.ts";
export { FlatMapStream } from "./flat_map_stream.ts";
export { LimitStream } from "./limit_stream.ts";
export { MapAsyncStream } from "./map_async_stream.ts";
export type { MapAsyncStreamOptions } from "./map_async_stream.ts";
export { MapStream } from "./map_stream.ts";
export { mergeReadableStreams } from "./merge_readable_streams.ts";
export type { MergeFailure, MergeReadableStreamsOptions } from "./merge_readable_streams.ts";
export type { Overflow } from "./overflow.ts";
export { RateLimitStream } from "./rate_limit_stream.ts";
export type { RateLimitStreamOptions } from "./rate_limit_stream.ts";
export { RedactStream } from "./redact_stream.ts";
export type { RedactStreamOptions } from "./redact_stream.ts";
export { routeReadableStream } from "./route_readable_stream.ts";
export type { RoutedStreams, RouteReadableStreamOptions } from "./route_readable_stream.ts";
export { ScanStream } from "./scan_stream.ts";
export { SkipStream } from "./skip_stream.ts";
export { TakeWhileStream } from "./take_while_stream.ts";
export type { TakeWhileStreamOptions } from "./take_while_stream.ts";
export { TapStream } from "./tap_stream.ts";
export { count, first, forEach, toArray } from "./terminals.ts";
export type { ForEachOptions, TerminalOptions } from "./terminals.ts";
export { ThrottleStream } from "./throttle_stream.ts";
export type { ThrottleStreamOptions } from "./throttle_stream.ts";
export { TimeoutStream } from "./timeout_stream.ts";
export type { TimeoutStreamOptions } from "./timeout_stream.ts";
export { TumblingWindowStream } from "./tumbling_window_stream.ts";
export type { TumblingWindowStreamOptions, WindowAggregate } from "./tumbling_window_stream.ts";
export type { WindowResult } from "./window_stage.ts";
export { compileCondition } from "../condition/compile_condition.ts";
export type { CompiledCondition, ConditionOptions } from "../condition/compile_condition.ts";
export { ConditionError } from "../condition/condition_error.ts";
export type { Alert, AlertFields, AlertTime, FieldValue, OmittedProperty } from "../alert/alert.ts";
export type { Priority } from "../alert/priority.ts";
export { FalcoClosedError, FalcoError, OverflowError } from "../errors.ts";
export type { CancelTimer, Clock } from "../clock.ts";
