/** `${VARIABLE}` in the values of a configuration file. @module */

/** Looks up a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

/**
 * Puts in the values of variables, as Falco's `yaml_helper.h` does: `${NAME}` is replaced, by nothing
 * if there is no such variable; `$${NAME}` becomes `${NAME}`; and after a dollar that is neither, the
 * rest is left as it is.
 *
 * @param text The value as it stands in the file.
 * @param readVariable Looks up a variable; asked only for those that occur.
 * @returns The value.
 */
export function expandVariables(text: string, readVariable: ReadVariable): string {
  let result = "";
  let at = 0;
  for (let dollar = text.indexOf("$"); dollar >= 0; dollar = text.indexOf("$", at)) {
    const end = text.indexOf("}", dollar);
    const isEscaped = text.startsWith("$${", dollar);
    if (end < 0 || !(isEscaped || text.startsWith("${", dollar))) break;
    result += text.slice(at, dollar);
    // What a variable holds is not looked through once more, as Falco does, and may never end.
    result += isEscaped
      ? text.slice(dollar + 1, end + 1)
      : readVariable(text.slice(dollar + 2, end)) ?? "";
    at = end + 1;
  }
  return result + text.slice(at);
}
