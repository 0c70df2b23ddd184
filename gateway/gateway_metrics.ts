/** A gateway in numbers. @module */
import type { AlertCounter } from "./alert_counter.ts";
import type { GatewayListener } from "./gateway_listener.ts";
import type { GatewaySource } from "./gateway_source.ts";
import { formatMetrics } from "./metrics_text.ts";
import type { MetricFamily, MetricSeries } from "./metrics_text.ts";

/** What there is to count. */
export interface GatewayParts {
  readonly alerts: AlertCounter;
  readonly sources: readonly GatewaySource[];
  readonly listeners: readonly GatewayListener[];
  /** Alerts that are too large for a message of gRPC. */
  readonly oversize: number;
  /** When it started, in seconds since 1970. */
  readonly startedAt: number;
  readonly ready: boolean;
}

/**
 * Writes all metrics. Labels are names from the configuration, words of this package, and what
 * {@linkcode AlertCounter} has bounded.
 *
 * @param parts What there is.
 * @returns Prometheus' text format.
 */
export function gatewayMetrics(parts: GatewayParts): string {
  const { alerts, sources, listeners } = parts;
  const metric = (
    type: MetricFamily["type"],
    name: string,
    help: string,
    series: readonly MetricSeries[],
  ): MetricFamily => ({ name: `falco_gateway_${name}`, type, help, series });
  const ofSources = (value: (source: GatewaySource) => number) =>
    sources.map((source) => ({ labels: { source: source.name }, value: value(source) }));
  const ofListeners = (value: (listener: GatewayListener) => number) =>
    listeners.map((listener) => ({ labels: { listener: listener.name }, value: value(listener) }));
  const refusals = (kind: string, name: string, refused: Readonly<Record<string, number>>) =>
    Object.entries(refused).map(([reason, value]) => ({ labels: { [kind]: name, reason }, value }));
  return formatMetrics([
    metric("gauge", "ready", "1 if clients are served and a source is up.", [
      { value: parts.ready ? 1 : 0 },
    ]),
    metric("gauge", "start_time_seconds", "When the gateway started.", [
      { value: parts.startedAt },
    ]),
    metric(
      "counter",
      "alerts_total",
      "Alerts that came in; rule and source are other beyond maxSeries.",
      [...alerts.counts].map(({ rule, priority, source, count }) => ({
        labels: { rule, priority, source },
        value: count,
      })),
    ),
    metric("counter", "alerts_oversize_total", "Alerts too large for gRPC, dropped.", [
      { value: parts.oversize },
    ]),
    metric(
      "gauge",
      "source_up",
      "1 if the source works.",
      ofSources(({ state }) => +(state === "up")),
    ),
    metric(
      "counter",
      "source_received_total",
      "Alerts of a source.",
      ofSources((one) => one.received),
    ),
    metric(
      "counter",
      "source_invalid_total",
      "What a source got and was no alert.",
      ofSources(({ counts }) => counts.invalid),
    ),
    metric(
      "counter",
      "source_dropped_total",
      "Alerts that a source took and threw away unread.",
      ofSources(({ counts }) => counts.dropped),
    ),
    metric(
      "counter",
      "source_duplicates_total",
      "Alerts that were sent twice and taken once.",
      ofSources(({ counts }) => counts.duplicates),
    ),
    metric(
      "gauge",
      "source_queue_depth",
      "Alerts that wait to be passed on.",
      ofSources(({ counts }) => counts.queued),
    ),
    metric(
      "counter",
      "source_restarts_total",
      "How often a source was opened again.",
      ofSources(({ restarts }) => restarts),
    ),
    metric(
      "counter",
      "source_refused_total",
      "Requests and connections that a source refused.",
      sources.flatMap(({ name, counts }) => refusals("source", name, counts.refused)),
    ),
    metric(
      "gauge",
      "listener_connections",
      "Open connections.",
      ofListeners(({ connections }) => connections),
    ),
    metric(
      "gauge",
      "listener_subscribers",
      "Calls that alerts are served to.",
      ofListeners(({ delivery }) => delivery.subscribers),
    ),
    metric(
      "gauge",
      "listener_queue_depth",
      "Alerts that wait for the client that is furthest behind, or with delivery shared for all.",
      ofListeners(({ delivery }) => delivery.log.depth),
    ),
    metric(
      "gauge",
      "listener_queue_bytes",
      "Bytes of alerts that are kept.",
      ofListeners(({ delivery }) => delivery.log.bytes),
    ),
    metric(
      "counter",
      "listener_accepted_total",
      "Alerts that came to a listener.",
      ofListeners(({ delivery }) => delivery.log.end),
    ),
    metric(
      "counter",
      "listener_delivered_total",
      "Alerts that were handed to clients, each counted for each.",
      ofListeners(({ delivery }) => delivery.log.delivered),
    ),
    metric(
      "counter",
      "listener_dropped_total",
      "Alerts that clients missed by being slow, each counted for each.",
      ofListeners(({ delivery }) => delivery.log.dropped),
    ),
    metric(
      "counter",
      "listener_filtered_total",
      "Alerts that the filter kept away.",
      ofListeners(({ filtered }) => filtered),
    ),
    metric(
      "counter",
      "listener_disconnected_total",
      "Clients that were sent away for being slow.",
      ofListeners(({ delivery }) => delivery.disconnected),
    ),
    metric(
      "counter",
      "listener_refused_total",
      "Clients that were not served.",
      listeners.flatMap(({ name, refused }) => refusals("listener", name, refused)),
    ),
  ]);
}
