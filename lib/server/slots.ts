/** A number of places, and a queue in front of them. @module */

/**
 * Lets a limited number in at a time; who comes too late waits in line, without limit and without a
 * word, as calls do on gRPC's C++ server.
 */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param count How many at a time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** How many wait in line. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a place.
   *
   * @param enter Called once there is one: now, or when somebody leaves. It must not throw.
   * @returns What `enter` gets, too: gives the place back, or leaves the line; calling it again does
   * nothing.
   */
  acquire(enter: (leave: () => void) => void): () => void {
    let state: "waiting" | "in" | "gone" = "waiting";
    const admit = (): void => {
      state = "in";
      enter(leave);
    };
    const leave = (): void => {
      if (state === "waiting") this.#waiting.delete(admit);
      else if (state === "in") this.#release();
      state = "gone";
    };
    if (this.#free > 0) {
      this.#free--;
      admit();
    } else {
      this.#waiting.add(admit);
    }
    return leave;
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
    } else {
      this.#waiting.delete(next);
      next();
    }
  }
}
