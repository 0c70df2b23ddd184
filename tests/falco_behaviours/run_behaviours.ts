/** A whole Falco 0.43.1, as it was watched. @module */
import type { Behaviour } from "./behaviour.ts";

/** In the order of the sections. */
export const runBehaviours: readonly Behaviour[] = [
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
