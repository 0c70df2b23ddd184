/** Which of its two services for alerts a Falco has. @module */
import type { SubscribeMethod } from "./status.ts";

/** The only method for alerts of Falco 0.18 to 0.23: it serves for `get` and for `sub`. */
const FIRST_METHOD = "falco.output.service/subscribe";

/**
 * Remembers which service a Falco has, for all calls of a client: the first one (0.18 to 0.23, the
 * singular `falco.output`) answers the calls of the second with UNIMPLEMENTED, and the other way
 * round.
 */
export class OutputsService {
  #isFirst = false;
  /** Those that were declined, and none was accepted since. */
  readonly #declined = new Set<boolean>();

  /** Whether it is the service of Falco 0.18 to 0.23, as far as is known. */
  get isFirst(): boolean {
    return this.#isFirst;
  }

  /** The method that gives what is queued and ends. */
  get getMethod(): "falco.outputs.service/get" | "falco.output.service/subscribe" {
    return this.#isFirst ? FIRST_METHOD : "falco.outputs.service/get";
  }

  /** The method that a subscription calls. */
  get subscribeMethod(): SubscribeMethod {
    return this.#isFirst ? FIRST_METHOD : "falco.outputs.service/sub";
  }

  /**
   * Notes that a method was answered with UNIMPLEMENTED.
   *
   * @param method The method.
   * @returns True if the other service is to be tried; false if that was declined, too.
   */
  decline(method: string): boolean {
    const isFirst = method === FIRST_METHOD;
    this.#declined.add(isFirst);
    if (this.#declined.size === 2) {
      this.accept();
      this.#isFirst = false;
      return false;
    }
    this.#isFirst = !isFirst;
    return true;
  }

  /** Notes that a call was answered, or that the server is another one now. */
  accept(): void {
    this.#declined.clear();
  }
}
