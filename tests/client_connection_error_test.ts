import assert from "node:assert/strict";
import { test } from "node:test";
import { FalcoConnectError } from "../lib/errors.ts";
import type { FalcoConnectReason } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { answerError, connectionError, NO_HTTP2 } from "../lib/transport/connection_error.ts";
import { NO_TLS } from "../lib/transport/describe_tls.ts";
import type { ConnectionPhase } from "../lib/transport/connection_error.ts";

const unix = parseAddress("/run/falco.sock");
const tls = parseAddress("https://falco.test:5060");

function coded(code: string, message = `it failed with ${code}`): Error {
  return Object.assign(new Error(message), { code });
}

/** What the runtimes report when the system refuses. */
function failed(syscall: string, code: string): Error {
  return Object.assign(coded(code, `${syscall} ${code}`), { syscall });
}

/** The class that Deno throws. */
class NotCapable extends Error {
  override name = "NotCapable";
}

const cases: readonly {
  name: string;
  cause: unknown;
  phase?: ConnectionPhase;
  /** On a unix socket and over TLS; "" if that makes no sense. */
  reasons: readonly [FalcoConnectReason | "", FalcoConnectReason | ""];
  message: RegExp;
}[] = [
  {
    name: "a missing file",
    cause: coded("ENOENT"),
    reasons: ["not-found", ""],
    message: /no such file/,
  },
  {
    name: "an unknown name",
    cause: coded("ENOTFOUND"),
    reasons: ["", "not-found"],
    message: /the host name does not resolve\. Check its spelling and the DNS$/,
  },
  {
    name: "a DNS that does not answer",
    cause: coded("EAI_AGAIN"),
    reasons: ["", "not-found"],
    message: /the host name does not resolve/,
  },
  {
    name: "missing rights",
    cause: coded("EACCES"),
    reasons: ["permission", "permission"],
    message: /permission denied\. Falco creates|--allow-net=falco\.test:5060$/,
  },
  {
    name: "missing rights of another kind",
    cause: coded("EPERM"),
    reasons: ["permission", "permission"],
    message: /permission denied\. Falco creates|--allow-net=falco\.test:5060$/,
  },
  {
    name: "a permission that Deno was not given",
    cause: new NotCapable('Requires net access to "falco.test:5060"'),
    reasons: ["permission", "permission"],
    message: /: Requires net access to "falco\.test:5060"\. Deno was not given that permission$/,
  },
  {
    name: "nobody who listens",
    cause: coded("ECONNREFUSED"),
    reasons: ["refused", "refused"],
    message: /nobody listens on this (socket|port)\. /,
  },
  {
    name: "a queue of connections that is full",
    cause: failed("connect", "EAGAIN"),
    reasons: ["refused", ""],
    message: /too many connections wait, and nobody takes them\. Falco hangs /,
  },
  {
    name: "too many open files",
    cause: failed("connect", "EMFILE"),
    reasons: ["refused", "refused"],
    message: /this side has no room for a connection \(EMFILE\)\. Too many files .+ulimit -n/,
  },
  {
    name: "a machine without memory",
    cause: failed("connect", "ENOBUFS"),
    reasons: ["refused", "refused"],
    message: /this side has no room for a connection \(ENOBUFS\)\. Free some memory$/,
  },
  {
    name: "a host behind a router that is down",
    cause: failed("connect", "EHOSTUNREACH"),
    reasons: ["", "not-found"],
    message: /no way to this host \(connect EHOSTUNREACH\)\. Check the address and the network$/,
  },
  {
    name: "somebody who takes a connection and resets it at once",
    cause: failed("connect", "ECONNRESET"),
    reasons: ["protocol", "tls"],
    message: /\(connect ECONNRESET\)\. /,
  },
  {
    name: "a machine without IPv6",
    cause: Object.assign(new AggregateError([failed("connect", "EINVAL")]), {
      code: "ERR_HTTP2_ERROR",
    }),
    reasons: ["", "not-found"],
    message: /no way to this host \(connect EINVAL\)\. /,
  },
  {
    name: "a DNS that fails",
    cause: failed("getaddrinfo", "EAI_FAIL"),
    reasons: ["", "not-found"],
    message: /the host name does not resolve \(EAI_FAIL\)\. /,
  },
  {
    name: "several addresses, each with an error of its own",
    cause: Object.assign(new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]), {
      code: "ERR_HTTP2_ERROR",
    }),
    reasons: ["", "refused"],
    message: /nobody listens on this port/,
  },
  {
    name: "an error below another",
    cause: Object.assign(coded("ERR_HTTP2_STREAM_ERROR"), {
      cause: new Error("between", { cause: coded("ECONNREFUSED") }),
    }),
    reasons: ["refused", "refused"],
    message: /nobody listens/,
  },
  {
    name: "a time limit",
    cause: new DOMException("no answer", "TimeoutError"),
    reasons: ["timeout", "timeout"],
    message: /no answer in time\. Check the address, firewalls, and that Falco is alive$/,
  },
  {
    name: "a time limit of the system",
    cause: coded("ETIMEDOUT"),
    reasons: ["timeout", "timeout"],
    message: /no answer in time/,
  },
  {
    name: "a loss without a word",
    cause: undefined,
    phase: "open",
    reasons: ["lost", "lost"],
    message: /: the server closed it\. Falco may have been stopped or restarted$/,
  },
  {
    name: "a loss with a word",
    cause: coded("ECONNRESET", "read ECONNRESET"),
    phase: "open",
    reasons: ["lost", "lost"],
    message: /: read ECONNRESET\. Falco may have been stopped or restarted$/,
  },
  {
    name: "a loss that looked like a time limit",
    cause: coded("ETIMEDOUT", "read ETIMEDOUT"),
    phase: "open",
    reasons: ["lost", "lost"],
    message: /: read ETIMEDOUT\. Falco may have been stopped or restarted$/,
  },
  {
    name: "a close before anything was said",
    cause: undefined,
    reasons: ["protocol", "tls"],
    message: /\(the server closed the connection\)\. /,
  },
  {
    name: "an error of OpenSSL, without its addresses, files and line breaks",
    cause: coded(
      "ERR_OSSL_X",
      "40ED25D8CC7F0000:error:0A000460:SSL routines:ssl3_read_bytes:tlsv1 alert " +
        "access denied:../deps/openssl/rec_layer_s3.c:918:SSL alert number 49\n",
    ),
    reasons: ["protocol", "tls"],
    message: /\(tlsv1 alert access denied\)\. /,
  },
  {
    name: "an error of BoringSSL",
    cause: coded("ERR_X", "error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES"),
    reasons: ["protocol", "tls"],
    message: /\(KEY_VALUES\)\. /,
  },
  {
    name: "a message of several lines",
    cause: new Error("first line.\n  second line.\n"),
    reasons: ["protocol", "tls"],
    message: /\(first line\. second line\)\. /,
  },
  {
    name: "an error without a message",
    cause: coded("EWEIRD", ""),
    reasons: ["protocol", "tls"],
    message: /\(EWEIRD\)\. /,
  },
  {
    name: "an error that says nothing at all",
    cause: new Error(""),
    reasons: ["protocol", "tls"],
    message: /\(unknown error\)\. /,
  },
  {
    name: "a certificate that has expired",
    cause: coded("CERT_HAS_EXPIRED", "certificate has expired"),
    reasons: ["", "tls"],
    message:
      /Falco's certificate has expired \(certificate has expired\)\. Renew it in grpc\.cert_chain /,
  },
  {
    name: "a certificate that is not valid yet",
    cause: coded("CERT_NOT_YET_VALID", "certificate is not yet valid"),
    reasons: ["", "tls"],
    message:
      /Falco's certificate is not valid yet \(certificate is not yet valid\)\. Check the clocks/,
  },
  {
    name: "a certificate that has expired by Falco's clock alone, as OpenSSL says it",
    cause: coded(
      "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
      "00D7D9F6877F0000:error:0A000415:SSL routines:ssl3_read_bytes:ssl/tls alert certificate " +
        "expired:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:916:SSL alert number 45\n",
    ),
    reasons: ["", "tls"],
    message:
      /Falco takes the certificate in "tls\.cert" for expired \(.+\)\. Check the clocks of both/,
  },
  {
    name: "a certificate that has expired by Falco's clock alone, as BoringSSL says it",
    cause: coded("ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"),
    reasons: ["", "tls"],
    message: /Falco takes the certificate in "tls\.cert" for expired/,
  },
  {
    name: "a certificate that has expired by Falco's clock alone, as Deno says it",
    cause: new Error("received fatal alert: CertificateExpired"),
    reasons: ["", "tls"],
    message: /Falco takes the certificate in "tls\.cert" for expired/,
  },
  {
    name: "a certificate for another name, as Deno says it",
    cause: new Error("invalid peer certificate: NotValidForName"),
    reasons: ["", "tls"],
    message: /Falco's certificate is not valid for the name "falco\.test"\. /,
  },
  {
    name: "an unknown authority, as Deno says it",
    cause: new Error("invalid peer certificate: UnknownIssuer"),
    reasons: ["", "tls"],
    message: /not signed by the authority in "tls\.ca" \(invalid peer certificate: UnknownIssuer\)/,
  },
];

for (const { name, cause, phase, reasons, message } of cases) {
  test(`connectionError() explains ${name}`, () => {
    for (const [index, address] of [unix, tls].entries()) {
      const reason = reasons[index]!;
      if (reason === "") continue;
      const error = connectionError(address, cause, phase);
      assert(error instanceof FalcoConnectError);
      assert.equal(error.reason, reason);
      assert.equal(error.address, address.text);
      assert.equal(error.cause, cause);
      const start = reason === "lost" ? "Lost the connection to" : "Cannot connect to";
      assert(error.message.startsWith(`${start} ${address.text}: `), error.message);
      assert.match(error.message, message);
      assert(!/\n|\.$/.test(error.message), error.message);
    }
  });
}

test("connectionError() leaves an error alone that says it all", () => {
  const error = connectionError(unix, coded("ENOENT"));
  assert.equal(connectionError(tls, error, "open"), error);
});

test("connectionError() looks only so deep into errors that contain each other", () => {
  const error: Error & { code?: string } = new Error("outer");
  error.cause = error;
  assert.equal(connectionError(unix, error).reason, "protocol");
});

test("connectionError() names the serverName that was asked for", () => {
  const cause = coded("ERR_TLS_CERT_ALTNAME_INVALID");
  assert.match(connectionError(tls, cause).message, /for the name "falco\.test"/);
  const error = connectionError(tls, cause, "connecting", { serverName: "other.test" });
  assert.match(error.message, /for the name "other\.test"/);
});

test("connectionError() gives certificates that may just be renewed another chance", () => {
  for (const renewable of [false, true]) {
    const passing = (cause: Error, phase?: ConnectionPhase): boolean =>
      connectionError(tls, cause, phase, { renewable }).passing;
    assert.equal(passing(coded("CERT_HAS_EXPIRED")), renewable);
    assert.equal(passing(coded("ECONNRESET"), "secured"), renewable);
    assert.equal(passing(coded(NO_HTTP2)), false);
    assert.equal(passing(coded(NO_TLS)), false);
    assert.equal(passing(coded("EACCES")), false);
  }
});

test("answerError() tells gRPC from everything else", () => {
  // The types say text, the runtimes give a number.
  const status = (code: number): string => code as unknown as string;
  const ok = { ":status": status(200), "content-type": "application/grpc" };
  assert.equal(answerError(unix, ok), undefined);
  assert.equal(answerError(unix, { ...ok, "content-type": "application/grpc+proto" }), undefined);
  for (
    const [address, remedy] of [[unix, /plain HTTP\/2$/], [tls, /grpc\.bind_address$/]] as const
  ) {
    for (
      const headers of [
        { ...ok, ":status": status(204) },
        { ...ok, "content-type": "application/json" },
        { ":status": status(200) },
        {},
      ]
    ) {
      const error = answerError(address, headers);
      assert(error instanceof FalcoConnectError);
      assert.equal(error.reason, "protocol");
      assert.match(error.message, remedy);
    }
  }
  const long = answerError(unix, { ...ok, "content-type": "x".repeat(10_000) });
  assert(long!.message.length < 400);
});
