/** Which test pins which behaviour of Falco: the index to the fake's tests. @module */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";

/**
 * The behaviours, by what was looked at: `api` is Falco's gRPC API as its source and its server code
 * have it, with the section's number; `run` is a whole Falco 0.43.1 that was watched. `title` is the
 * test's, as it stands in its file; `file` is `fake_falco_FILE_test.ts` unless it ends in `_test`.
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
      "api 2.4",
      "outputs_queue.capacity bounds what is before the outputs, and drops the newest",
      "output_channels_test",
      "drops the newest when the queue is full, logs it once and counts each",
    ],
    [
      "api 2.4",
      "a gRPC client that does not read holds up no other output",
      "log",
      "holds up no other output",
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
    [
      "api 3",
      "unix sockets without TLS, TCP with it",
      "socket",
      "refuses TLS on a unix socket, and TCP without it, as Falco has neither",
    ],
    ["api 3", "which bind_address is TCP with TLS", "log", "serves mutual TLS at ${address}"],
    ["api 3", "which bind_address is none", "log", "is none, though the certificates are good"],
    [
      "api 3",
      "keys and certificates that are missing, or not of a pair",
      "log",
      "is not listened at with ${name}",
    ],
    [
      "api 3",
      "without root_certs the server starts, and trusts nobody",
      "log",
      "is that of a server which trusts nobody if root_certs is missing",
    ],
    [
      "api 3",
      "Falco's log of clients that TLS turns away",
      "log",
      "names what gRPC names: no certificate, one that is not trusted, no TLS",
    ],
    [
      "api 3",
      "Falco's schema does not know the keys of its certificates",
      "cli_fake_config_test",
      "serves the documentation's configuration of mutual TLS, and warns as Falco does",
    ],
    [
      "api 3",
      "folders are made",
      "socket",
      "is in folders that are made if they are missing, and that stay",
    ],
    ["api 3", "not before 0.33", "log", "has to be there before 0.33: without it there is no gRPC"],
    ["api 3", "Falco ends if they cannot be made", "log", "ends Falco if it cannot be made"],
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
      "api 4.1",
      "defaults of the code, not of the packaged file",
      "falco_config_test",
      "fills in the defaults of Falco's code, not those of its packaged file",
    ],
    [
      "api 4.1",
      "grpc on, grpc_output off: answers, and no alerts",
      "config",
      "answers and delivers nothing with grpc on and grpc_output off",
    ],
    [
      "api 4.2",
      "json_output: the whole line in output",
      "config",
      "puts the whole JSON line into the text of gRPC with json_output",
    ],
    [
      "api 5.4",
      "evt.time among the fields up to 0.38",
      "era",
      "has the time of the text among the fields up to 0.38, as the rules' format had",
    ],
    [
      "api 8",
      "grpc_unix_socket_outputs",
      "acceptance",
      "grpc_unix_socket_outputs of 0.33: get has the alert, with all that the test looks for",
    ],
    [
      "api 8",
      "TestFalco_Legacy_GrpcUnixSocketOutputs",
      "acceptance",
      "TestFalco_Legacy_GrpcUnixSocketOutputs: a watcher that was there first gets eight warnings",
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
    [
      "run TLS",
      "a client certificate that has expired",
      "tls",
      "refuses a client whose certificate has expired",
    ],
    [
      "run TLS",
      "TLS 1.1 is refused",
      "tls",
      "has no TLS 1.1 for a client that knows nothing newer",
    ],
    [
      "run TLS",
      "certificates without SAN do for localhost alone",
      "openssl_certificates_test",
      "do not stand for another name, and the error says which is missing",
    ],
    ["run TLS", "plain text to TLS", "tls", "refuses a client that speaks HTTP/2 in plain text"],
    [
      "run TLS",
      "h2 has to be asked for by ALPN",
      "tls",
      "closes on a client that asks for ${asked} instead of h2, without a word",
    ],
    [
      "run message",
      "a bad file with watch_config_files: an alert of Falco's own",
      "reload_config",
      "raises an alert about a bad file and goes on with what it has",
    ],
    ["run PING", "requests start the count anew", "ping", "starts to count anew with each request"],
    ["run PING", "alerts start the count anew", "ping", "starts to count anew with each alert"],
    [
      "run socket",
      "kill -9 leaves the file",
      "stop",
      "leaves the socket file behind, and nobody answers there",
    ],
    ["run socket", "another user may not connect", "client_other_user_test", "permission denied"],
    [
      "run stop",
      "SIGHUP waits for an idle sub",
      "reload",
      "waits for an idle sub, whose next request is answered with OK",
    ],
    [
      "run stop",
      "no alert is raised during that wait",
      "log",
      "raises nothing until that sub has ended, and all of it then, with the new file",
    ],
    [
      "run stop",
      "SIGHUP does nothing without watch_config_files",
      "reload_config",
      "does nothing with watch_config_files off",
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
      const name = file.endsWith("_test") ? file : `fake_falco_${file}_test`;
      const path = new URL(`./${name}.ts`, import.meta.url);
      const source = (await readFile(path, "utf8")).replaceAll('\\"', '"');
      assert.ok(source.includes(title), `no test ${JSON.stringify(title)} in ${file}`);
    });
  }

  it("is in the list once", () => {
    const names = behaviours.map(([section, behaviour]) => `${section}: ${behaviour}`);
    assert.equal(new Set(names).size, names.length);
  });
});
