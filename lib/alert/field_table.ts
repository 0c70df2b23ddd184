/** The fields of an alert, built alike for all alerts of a rule. @module */
import { compareBytes } from "./compare_bytes.ts";
import type { CachedText, TextCache } from "./text_cache.ts";

/** Falco's own rules are fewer than this. */
const MAX_SHAPES = 256;
/** Falco's metrics, the widest of its alerts, have about 100. */
const MAX_SHAPE_FIELDS = 255;
const NO_PLACE = 255;

/** The set of fields that the alerts of a rule have. */
interface Shape {
  /** The names, sorted as in Falco's JSON. */
  readonly names: readonly string[];
  /** The place of each in `names`, by its id. */
  readonly places: Uint8Array;
  /** An object that has these fields in this order. */
  readonly template: { readonly [name: string]: string };
}

/**
 * Collects the fields of an alert and makes an object of them.
 *
 * A real Falco sends the fields of a rule in another order with every alert, because it keeps them in
 * a hash table. Objects whose properties were added in different orders are of different kinds to an
 * engine, slow to make and slow to read. So the fields are put in one order, that of Falco's JSON, by
 * copying an object of the last alert of the same rule. That makes them 3 to 10 times as fast.
 */
export class FieldTable {
  readonly #texts: TextCache;
  readonly #shapes = new Map<string, Shape>();
  #generation: number;
  readonly #names: CachedText[] = [];
  readonly #values: string[] = [];
  #count = 0;
  /** The values by their place in a shape; all undefined between alerts. */
  readonly #placed: (string | undefined)[] = new Array(MAX_SHAPE_FIELDS).fill(undefined);

  /** @param texts Where the names come from. */
  constructor(texts: TextCache) {
    this.#texts = texts;
    this.#generation = texts.generation;
  }

  /** Begins an alert. */
  clear(): void {
    this.#count = 0;
    if (this.#generation === this.#texts.generation) return;
    this.#shapes.clear();
    this.#generation = this.#texts.generation;
  }

  /**
   * Adds a field. The last one of a name counts.
   *
   * @param name Its name.
   * @param value Its value.
   */
  add(name: CachedText, value: string): void {
    const at = this.#count++;
    this.#names[at] = name;
    this.#values[at] = value;
  }

  /**
   * Makes the object.
   *
   * @param rule The rule, whose other alerts probably have the same fields.
   * @returns An ordinary object whose own properties are the fields.
   */
  build(rule: string): { [name: string]: string } {
    // Within this alert the ids began anew: they do not tell the names apart.
    if (this.#generation !== this.#texts.generation) return this.#buildNew(rule);
    const shape = this.#shapes.get(rule);
    if (shape === undefined || !this.#place(shape)) return this.#buildNew(rule);
    // Each name is an own property already: assigning to `__proto__` sets no prototype.
    const fields = { ...shape.template };
    const { names } = shape;
    const placed = this.#placed;
    for (let at = 0; at < names.length; at++) {
      fields[names[at]!] = placed[at]!;
      placed[at] = undefined;
    }
    return fields;
  }

  /** Puts the values into their places; false if these are not the fields of the shape. */
  #place({ names, places }: Shape): boolean {
    const count = this.#count;
    const placed = this.#placed;
    let filled = 0;
    if (count === names.length) {
      for (let at = 0; at < count; at++) {
        const place = places[this.#names[at]!.id] ?? NO_PLACE;
        if (place === NO_PLACE) break;
        if (placed[place] === undefined) filled++;
        placed[place] = this.#values[at]!;
      }
      if (filled === count) return true;
    }
    placed.fill(undefined);
    return false;
  }

  #buildNew(rule: string): { [name: string]: string } {
    const values = new Map<string, string>();
    for (let at = 0; at < this.#count; at++) values.set(this.#names[at]!.text, this.#values[at]!);
    const names = [...values.keys()].sort(compareBytes);
    // Makes an own property of any name, `__proto__` too.
    const fields = Object.fromEntries(names.map((name) => [name, values.get(name)!]));
    this.#remember(rule, names);
    return fields;
  }

  #remember(rule: string, names: readonly string[]): void {
    if (names.length > MAX_SHAPE_FIELDS) return;
    const places = new Uint8Array(this.#texts.maxTexts).fill(NO_PLACE);
    for (let at = 0; at < this.#count; at++) {
      const { text, id } = this.#names[at]!;
      if (id < 0) return;
      places[id] = names.indexOf(text);
    }
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear();
    const template = Object.fromEntries(names.map((name) => [name, ""]));
    this.#shapes.set(rule, { names, places, template });
  }
}
