/** What a runtime reports when something fails. @module */

/**
 * The code of an error, such as `ECONNREFUSED`.
 *
 * @param cause What was reported. What is below an error of HTTP/2 says more than that error.
 * @returns The code, or `NotCapable` or `TimeoutError`; "" if there is none.
 */
export function errorCode(cause: unknown): string {
  for (let error: unknown = cause, depth = 0; isErrorLike(error) && depth < 5; depth++) {
    if (typeof error.code === "string" && !error.code.startsWith("ERR_HTTP2")) return error.code;
    if (error.name === "NotCapable" || error.name === "TimeoutError") return error.name;
    error = below(error);
  }
  return isErrorLike(cause) && typeof cause.code === "string" ? cause.code : "";
}

/**
 * The text of an error, on one line.
 *
 * @param cause What was reported.
 * @returns The text, without a full stop.
 */
export function errorMessage(cause: unknown): string {
  if (!isErrorLike(cause)) return "the server closed the connection";
  const { message, code, errors } = cause;
  if (typeof message === "string" && message !== "") return readable(message);
  // Happy eyeballs: one error an address, none of its own.
  if (Array.isArray(errors) && errors.length > 0) return errorMessage(errors[0]);
  return typeof code === "string" ? code : "unknown error";
}

/**
 * Which call to the system failed.
 *
 * @param cause What was reported.
 * @returns Its name, such as `connect`; undefined if it was none, as when TLS is not agreed on.
 */
export function failedCall(cause: unknown): string | undefined {
  for (let error: unknown = cause, depth = 0; isErrorLike(error) && depth < 5; depth++) {
    if (typeof error.syscall === "string") return error.syscall;
    error = below(error);
  }
  return undefined;
}

/**
 * What to do where this side has run out of something; it passes as soon as there is some again.
 *
 * @param code The code of an error.
 * @returns A sentence; undefined if the code means something else.
 */
export function shortageRemedy(code: string): string | undefined {
  switch (code) {
    case "EMFILE":
    case "ENFILE":
      return "Too many files and connections are open: close some, or raise the limit (ulimit -n)";
    case "ENOBUFS":
    case "ENOMEM":
      return "Free some memory";
    default:
      return undefined;
  }
}

/** OpenSSL wraps its reason in addresses, source files and a line break. */
function readable(message: string): string {
  const reason = /error:[0-9a-f]{8}:[^:]*:[^:]*:([^:]+)/i.exec(message)?.[1];
  return (reason ?? message).trim().replace(/\.$/, "").replaceAll(/\s+/g, " ");
}

/** Of several, one an address, the first. */
function below({ cause, errors }: ErrorLike): unknown {
  return cause ?? (Array.isArray(errors) ? errors[0] : undefined);
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null;
}
