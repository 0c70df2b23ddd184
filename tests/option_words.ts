/** What messages call the options that certificates came in: the library's, and the command line's. */

/** What an option is called: `isOption` where it says so, otherwise what was given with it is meant. */
export type Words = (option: string, isOption: boolean) => string;

/** The words of the library's users. */
export const libraryWords: Words = (option) => `"tls.${option}"`;

/** The words of whoever typed what `argumentsFor` gives. */
export const commandWords: Words = (option, isOption) => {
  if (option === "serverName") return '"--server-name"';
  return isOption ? '"--certs"' : `"${certsFiles[option]}" of "--certs"`;
};

const certsFiles: Record<string, string> = {
  ca: "ca.crt",
  cert: "client.crt",
  key: "client.key",
};

/** Puts in what options are called, where a sentence has `{ca}`, or `{ca option}` for the option itself. */
export function inWords(sentence: string, words: Words): string {
  return sentence.replaceAll(
    /\{(\w+)( option)?\}/g,
    (_, option: string, isOption?: string) => words(option, isOption !== undefined),
  );
}
