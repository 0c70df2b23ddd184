/** What a server tells whoever watches it. @module */
import type { HandshakeFailure } from "./handshake_failure.ts";

/** What happened to a call. Calls and connections are numbered from 1, in the order they came. */
export type CallEvent =
  & {
    /** The method as it came, without the leading slash. */
    readonly path: string;
    /** The number of the call. */
    readonly id: number;
    /** The number of its connection. */
    readonly connection: number;
  }
  & (
    /** It came. */
    | { readonly type: "call" }
    /** Its headers are none that gRPC serves; a status follows. */
    | { readonly type: "refused-headers" }
    /** Its method has no slot free: nothing happens until another call leaves. */
    | { readonly type: "waiting" }
    /** It has got one after all. */
    | { readonly type: "served" }
    /** A request came, of that many bytes. */
    | { readonly type: "request"; readonly bytes: number }
    /** A request of `sub` found the queue empty: it has no answer. */
    | { readonly type: "empty-pull" }
    /** The client said that no more requests follow. */
    | { readonly type: "half-close" }
    /** The client sent bytes that are no request. */
    | { readonly type: "undecodable" }
    /** The client sent a request that is longer than gRPC allows. */
    | { readonly type: "too-large" }
    /** So many alerts were taken out of the queue for it: mostly one. */
    | { readonly type: "alert"; readonly count: number }
    /** It was answered with a status; the call ends when the client has taken it. */
    | { readonly type: "status"; readonly status: number }
    /** It is over. `draining`: in the middle of a drain, so that alerts on their way are lost. */
    | { readonly type: "call-end"; readonly draining: boolean }
  );

/** What happened to a connection. */
export type ConnectionEvent =
  & { readonly connection: number }
  & (
    /** It came. */
    | { readonly type: "connect" }
    /** It is gone. */
    | { readonly type: "disconnect" }
    /** A PING came too early; `closed` if it was one too many. */
    | { readonly type: "ping-strike"; readonly closed: boolean }
  );

/** Either, or somebody who never became a connection: too many are there, or TLS has failed. */
export type ServerEvent =
  | CallEvent
  | ConnectionEvent
  | { readonly type: "refused" }
  | {
    readonly type: "handshake-error";
    readonly error: Error;
    /** What was wrong with the client, as far as it is known. */
    readonly failure: HandshakeFailure;
  };
