/** Falco's gRPC API, sections 3 to 8: sockets, TLS, configuration, Falco's own tests. @module */
import type { Behaviour } from "./behaviour.ts";

/** In the order of the sections. */
export const setupBehaviours: readonly Behaviour[] = [
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
];
