/** Falco's gRPC API, sections 2.7 to 2.11: HTTP/2, PINGs, stop, the first service. @module */
import type { Behaviour } from "./behaviour.ts";

/** In the order of the sections. */
export const serverBehaviours: readonly Behaviour[] = [
  ["api 2.7", "HTTP/2 settings", "wire", "has the HTTP/2 settings of Falco's gRPC server"],
  [
    "api 2.7",
    "response headers and trailers",
    "wire",
    "ends get with headers, alerts, and trailers of a status alone",
  ],
  ["api 2.7", "compressed requests are accepted", "requests", "are accepted: ${name}"],
  [
    "api 2.7",
    "metadata above 8 KiB: 8",
    "requests",
    "of more than 8 KiB is refused, as status 8 or in its HTTP/2 form",
  ],
  [
    "api 2.7",
    "no limit for what it sends; nothing is compressed",
    "wire",
    "sends an alert of any size, and does not compress it",
  ],
  [
    "api 2.7",
    "any :authority that is not empty; any metadata",
    "wire",
    "accepts ${JSON.stringify(headers",
  ],
  [
    "api 2.7",
    "requests of more than 4 MiB: 8",
    "requests",
    "end ${method} with 8 as soon as their length is known",
  ],
  [
    "api 2.7",
    "who does not speak HTTP/2 is turned away",
    "tls",
    "closes on a client that speaks something else altogether",
  ],
  [
    "api 2.7",
    "PINGs: two strikes in 300 s",
    "ping",
    "closes at the 4th, ${interval / SECOND} s apart, on an idle call",
  ],
  [
    "api 2.7",
    "no PINGs of its own, no greatest age",
    "ping",
    "sends none of its own, and keeps an idle connection for days",
  ],
  [
    "api 2.8",
    "unknown methods, health, reflection: 12 without words",
    "wire",
    "answers /${path} with",
  ],
  [
    "api 2.9",
    "the listener closes at once, open calls are waited for",
    "stop",
    "refuses new connections at once, while an idle sub holds it",
  ],
  [
    "api 2.9",
    "an idle sub ends with OK at its next request, and an alert is lost",
    "stop",
    "loses the alert that an idle sub was about to get, and ends that call with OK",
  ],
  ["api 2.9", "or at its cancel", "stop", "waits for a sub until it is cancelled"],
  ["api 2.9", "idle connections are closed", "stop", "closes connections without calls"],
  [
    "api 2.9",
    "and those of clients that do not read, after 20 s",
    "stop",
    "gives a client 20 s that does not even read, as gRPC's server does",
  ],
  [
    "api 2.9",
    "Falco's log of start and stop",
    "log",
    "says that it waits for its clients, and the rest when they have gone",
  ],
  [
    "api 2.9",
    "a place that cannot be had is logged, and Falco runs on",
    "config",
    "logs ${name} and runs on without gRPC",
  ],
  ["api 2.10", "calls are not logged", "log", "says nothing of calls, at level debug either"],
  [
    "api 2.11",
    "subscribe without keepalive drains and ends",
    "subscribe",
    "drains the queue and ends with OK without keepalive",
  ],
  [
    "api 2.11",
    "subscribe with keepalive drops what it overwrites",
    "subscribe",
    "drains a long backlog with keepalive, but for every other alert, and stays",
  ],
  [
    "api 2.11",
    "subscribe with keepalive blocks a thread",
    "subscribe",
    "serves nobody else while as many calls wait as there are threads",
  ],
];
