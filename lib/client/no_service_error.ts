/** A server without any of Falco's services for alerts. @module */
import { FalcoRpcError } from "../errors.ts";

const UNIMPLEMENTED = 12;

/**
 * Says whether a server does not know a method.
 *
 * @param error What ended the call.
 * @returns True if so.
 */
export function isUnimplemented(error: unknown): error is FalcoRpcError {
  return error instanceof FalcoRpcError && error.status === UNIMPLEMENTED;
}

/**
 * Makes the error for a server that has neither service.
 *
 * @param method The method that was tried first.
 * @param cause What the last one that was tried was answered with.
 * @returns The error to hand to the user.
 */
export function noServiceError(method: string, cause: FalcoRpcError): FalcoRpcError {
  return new FalcoRpcError(
    "Cannot get alerts: the server offers neither falco.outputs.service (Falco 0.24 to 0.43) nor " +
      "falco.output.service (0.18 to 0.23). Check that the address is Falco's; 0.44 has no gRPC",
    { method, status: cause.status, cause },
  );
}
