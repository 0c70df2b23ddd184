/** Which test pins which behaviour of Falco: the index to the fake's tests. @module */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";

/**
 * The behaviours, by what was looked at: `api` is Falco's gRPC API as its source and its server code
 * have it, with the section's number; `run` is a whole Falco 0.43.1 that was watched. `title` is the
 * test's, as it stands in its file.
 */
const behaviours:
  readonly (readonly [section: string, behaviour: string, file: string, title: string])[] = [
    [
      "api 1.1",
      "the three methods by their lower-case names",
      "era",
      "has no other methods as ${falcoVersion} than",
    ],
    [
      "api 1.1",
      "fields of an alert; zero values are left out",
      "era",
      "leaves out what is 0 or empty, as protobuf does",
    ],
    [
      "api 1.1",
      "all values of fields are text, absent ones <NA>",
      "era",
      "sends every value of a field as text",
    ],
    [
      "api 1.1",
      "field 7 of the version changes its meaning at 0.37",
      "era",
      "says that it is ${falcoVersion}",
    ],
    [
      "api 1.2",
      "fields by release",
      "era",
      "has the fields of ${falcoVersion} on the wire, and no others",
    ],
    [
      "api 1.2",
      "Falco's own alerts over gRPC since 0.27",
      "era",
      "keeps alerts of Falco itself from gRPC before 0.27",
    ],
    ["api 1.2", "plugins as sources since 0.31", "era", "has plugins as sources since 0.31"],
    [
      "api 1.2",
      "no gRPC since 0.44",
      "era",
      "starts as ${falcoVersion}, and refuses clients over ${wire.name}",
    ],
    ["api 2.1", "nothing without a request", "pull", "sends nothing without a request"],
    [
      "api 2.1",
      "a request drains the queue, once",
      "pull",
      "drains the queue at a request, then sends nothing until the next",
    ],
    [
      "api 2.1",
      "requests on an empty queue are not banked",
      "pull",
      "does not bank requests that find the queue empty",
    ],
    [
      "api 2.1",
      "what is pushed during a drain belongs to it",
      "pull",
      "delivers in the same drain what is pushed while it goes on",
    ],
    [
      "api 2.1",
      "requests during a drain are read one by one afterwards",
      "pull",
      "reads requests sent during a drain one by one afterwards, and banks none",
    ],
    [
      "api 2.1",
      "request and half-close: the queue, then silence",
      "pull",
      "delivers the queue to a request with half-close, then stays open for ever",
    ],
    ["api 2.1", "half-close alone hangs", "pull", "never answers a half-close without a request"],
    [
      "api 2.1",
      "an undecodable request on sub hangs",
      "pull",
      "never answers a request it cannot decode, nor any after it",
    ],
    [
      "api 2.1",
      "an undecodable second request on sub hangs",
      "pull",
      "never answers again after a second request it cannot decode",
    ],
    [
      "api 2.1",
      "unknown fields in a request are ignored",
      "pull",
      "accepts fields that it does not know in a request",
    ],
    [
      "api 2.1",
      "a cancel frees the slot",
      "slots",
      "gives a slot that comes free to who has waited longest, with what it has sent",
    ],
    ["api 2.2", "get drains and ends", "queue", "is drained by get, in order"],
    [
      "api 2.2",
      "get on an empty queue: OK, trailers-only",
      "wire",
      "answers get on an empty queue with OK and no message, trailers-only",
    ],
    [
      "api 2.2",
      "get goes on while alerts come",
      "queue",
      "gives get what is pushed while it drains, too",
    ],
    [
      "api 2.2",
      "an undecodable request of get and version: 13",
      "wire",
      "refuses a request of ${method} that it cannot decode",
    ],
    ["api 2.3", "version whatever sub does", "slots", "has slots of their own for get and version"],
    [
      "api 2.4",
      "a queue without bound, kept until it is read",
      "pull",
      "gives a late client everything from before its connection, in order",
    ],
    [
      "api 2.4",
      "a bound, if the replay is given one",
      "replay",
      "waits for readers while maxQueued alerts are queued",
    ],
    [
      "api 2.4",
      "the queue survives a reload",
      "reload",
      "keeps the queue and the address, and closes connections",
    ],
    [
      "api 2.5",
      "who asks first gets all",
      "pull",
      "gives what is queued to whoever asks first, all of it",
    ],
    [
      "api 2.5",
      "consumers compete",
      "pull",
      "lets two compete for one queue: no alert twice, none lost, each in order",
    ],
    [
      "api 2.5",
      "two drains at once split a backlog, each in order",
      "pull",
      "splits one backlog between two drains at once, contiguous and in order",
    ],
    [
      "api 2.6",
      "ten calls a thread and method, more wait",
      "slots",
      "serves ten calls of a method a thread, and lets more wait in silence",
    ],
    [
      "api 2.6",
      "threadiness 0 is the number of cores",
      "slots",
      "serves ${served} calls of a method",
    ],
    [
      "api 2.6",
      "a half-closed call frees its slot and stays open",
      "slots",
      "takes the slot from a call that has ${how}, which stays open",
    ],
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
      "PINGs: two strikes in 300 s",
      "ping",
      "closes at the 4th, ${interval / SECOND} s apart, on an idle call",
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
    [
      "api 3",
      "unix sockets without TLS, TCP with it",
      "socket",
      "refuses TLS on a unix socket, and TCP without it, as Falco has neither",
    ],
    [
      "api 3",
      "folders are made",
      "socket",
      "is in folders that are made if they are missing, and that stay",
    ],
    [
      "api 3",
      "a stale socket is taken over",
      "socket",
      "of a killed Falco is taken over by the next",
    ],
    [
      "api 3",
      "a live socket is stolen",
      "socket",
      "of a live Falco is taken over silently, and goes away with the second",
    ],
    [
      "api 3",
      "a regular file is left alone",
      "socket",
      "is not made where ${kind} is in the way, which is left alone",
    ],
    [
      "api 3",
      "the socket's mode is the umask's",
      "socket",
      "has the mode that the umask leaves, which no option changes",
    ],
    [
      "api 5.4",
      "evt.time among the fields up to 0.38",
      "era",
      "has the time of the text among the fields up to 0.38, as the rules' format had",
    ],
    [
      "run sub",
      "headers only with the first alert",
      "wire",
      "sends response headers on sub only with the first alert",
    ],
    ["run sub", "sub and get share the queue", "queue", "is shared by sub and get"],
    [
      "run sub",
      "SIGTERM waits for a half-closed sub",
      "stop",
      "waits for a half-closed sub until it is cancelled",
    ],
    [
      "run loss",
      "a cancel in mid-drain loses what was sent",
      "queue",
      "loses what was sent to a reader that cancels, and nothing else",
    ],
    [
      "run status",
      "GET, or no te: 200 and status 2",
      "wire",
      "answers ${name} with status 2 over HTTP 200, and takes no alert for it",
    ],
    [
      "run status",
      "kill -9: no status",
      "stop",
      "breaks connections in the middle of a call, without a status",
    ],
    ["run TLS", "TLS 1.2 and 1.3", "tls", "speaks ${version}"],
    [
      "run TLS",
      "no client certificate",
      "tls",
      "refuses a client without a certificate over ${version}",
    ],
    [
      "run TLS",
      "another authority's certificate",
      "tls",
      "refuses a client with another authority's certificate over ${version}",
    ],
    ["run TLS", "plain text to TLS", "tls", "refuses a client that speaks HTTP/2 in plain text"],
    [
      "run TLS",
      "h2 has to be asked for by ALPN",
      "tls",
      "closes on a client that asks for ${asked} instead of h2, without a word",
    ],
    ["run PING", "requests start the count anew", "ping", "starts to count anew with each request"],
    ["run PING", "alerts start the count anew", "ping", "starts to count anew with each alert"],
    [
      "run socket",
      "kill -9 leaves the file",
      "stop",
      "leaves the socket file behind, and nobody answers there",
    ],
    [
      "run stop",
      "SIGHUP waits for an idle sub",
      "reload",
      "waits for an idle sub, whose next request is answered with OK",
    ],
    [
      "run stop",
      "the end of the source drops the queue",
      "inspect",
      "drops the queue, and ends the call that asks after it with OK",
    ],
  ];

describe("What a real Falco was seen to do", () => {
  for (const [section, behaviour, file, title] of behaviours) {
    it(`${section}: ${behaviour}`, async () => {
      const path = new URL(`./fake_falco_${file}_test.ts`, import.meta.url);
      const source = (await readFile(path, "utf8")).replaceAll('\\"', '"');
      assert.ok(source.includes(title), `no test ${JSON.stringify(title)} in ${file}`);
    });
  }

  it("is in the list once", () => {
    const names = behaviours.map(([section, behaviour]) => `${section}: ${behaviour}`);
    assert.equal(new Set(names).size, names.length);
  });
});
