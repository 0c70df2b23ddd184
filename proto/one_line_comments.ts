/** Makes comments in generated code safe for declarations. @module */

/**
 * Puts each comment within an object that is `as const` on one line.
 *
 * `deno pack`, and JSR for npm, declare a property of such an object as `readonly`, its comment, its
 * name. If the comment has more than one line, TypeScript takes `readonly` for a property of its own,
 * since a line ends behind it, and refuses the declarations.
 *
 * @param source What protoc-gen-es wrote.
 * @returns The same code.
 */
export function putCommentsOnOneLine(source: string): string {
  return source.replaceAll(
    /= \{\n[^}]*\n\} as const;/g,
    (object) =>
      object.replaceAll(/\/\*\*\n([^]*?)\*\//g, (_, lines: string) => {
        const words = lines.split("\n").map((line) => line.replace(/^\s*\*\s?/, "").trim());
        return `/** ${words.filter((line) => line !== "").join(" ")} */`;
      }),
  );
}
