/** A deliberate break of the code. @module */

/** One place, made wrong, and who has to notice. */
export interface Break {
  /** What no longer holds, as a clause. */
  readonly name: string;
  /** The file, from the root of the tree. */
  readonly file: string;
  /** A piece of its text that occurs there once. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
  /** The suites that should notice: names of files in `tests/`, without `_test.ts`. */
  readonly tests: readonly string[];
}

/**
 * Breaks a text.
 *
 * @param text What stands in the file.
 * @param one The break.
 * @returns The broken text.
 * @throws {Error} If `find` is not in the text, or more than once, or nothing would change.
 */
export function applyBreak(text: string, { name, file, find, replace }: Break): string {
  const places = text.split(find).length - 1;
  if (places !== 1) {
    throw new Error(
      `Cannot break ${file} (${name}): "find" occurs ${places} times. Adapt it to the code`,
    );
  }
  if (find === replace) throw new Error(`Cannot break ${file} (${name}): nothing would change`);
  return text.replace(find, () => replace);
}
