/** What messages call the options that certificates came in. @module */

/** An option, as whoever gave it knows it. */
export interface OptionName {
  /** The option, such as `--ca`. */
  readonly option: string;
  /** The file that is meant, if the option names a folder. */
  readonly file?: string;
}

/**
 * The key under which options carry their names. Users of the library know them as `tls.ca` and the
 * like, which is what they are called without it; those of a program that passes options on may know
 * them by other names, and have to read these.
 */
export const OPTION_NAMES: unique symbol = Symbol("option names");

/** Options that say what they are called; those that are left out keep the library's name. */
export interface NamedOptions {
  readonly [OPTION_NAMES]?: { readonly [option: string]: OptionName };
}

/**
 * Says what an option is called.
 *
 * @param given What it came in.
 * @param option Its name in the library, without `tls.`.
 * @returns Its name for messages.
 */
export function optionName(given: NamedOptions | undefined, option: string): OptionName {
  return given?.[OPTION_NAMES]?.[option] ?? { option: `tls.${option}` };
}

/**
 * Says which certificate or key is meant.
 *
 * @param given What it came in.
 * @param option The option, without `tls.`.
 * @returns A noun phrase for messages.
 */
export function quoteOption(given: NamedOptions | undefined, option: string): string {
  const { option: name, file } = optionName(given, option);
  return file === undefined ? `"${name}"` : `"${file}" of "${name}"`;
}
