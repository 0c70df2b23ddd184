/** Keeps RESULTS.md: one section for a benchmark, and in it one for each runtime. @module */

/** What a run has found out. */
export interface ResultSection {
  /** The name of the benchmark: `## name`. */
  readonly benchmark: string;
  /** What it asks. */
  readonly question: string;
  /** The runtime: `### runtime`. */
  readonly runtime: string;
  /** Markdown without headings. */
  readonly text: string;
}

const head = `# Results

Written by \`deno task bench --results bench/RESULTS.md\`; each run replaces its own sections and
leaves the others. [README.md](README.md) says what these numbers mean, and what they do not.
`;

const runtimes = ["Deno", "Node", "Bun"];

/**
 * Puts sections into what RESULTS.md has so far.
 *
 * @param old The file as it is; empty if there is none.
 * @param sections What is new. A section of the same benchmark and runtime is replaced.
 * @param order The names of all benchmarks; sections of others are dropped.
 * @returns The file as it is to be.
 */
export function mergeResults(
  old: string,
  sections: readonly ResultSection[],
  order: readonly string[],
): string {
  const found = readSections(old);
  for (const { benchmark, question, runtime, text } of sections) {
    const texts = found.get(benchmark)?.texts ?? new Map<string, string>();
    found.set(benchmark, { question, texts: texts.set(runtime, text.trim()) });
  }
  let merged = head;
  for (const benchmark of order) {
    const section = found.get(benchmark);
    if (section === undefined) continue;
    merged += `\n## ${benchmark}\n\n${section.question}\n`;
    for (const runtime of runtimes) {
      const text = section.texts.get(runtime);
      if (text !== undefined) merged += `\n### ${runtime}\n\n${text}\n`;
    }
  }
  return merged;
}

interface OldSection {
  readonly question: string;
  readonly texts: Map<string, string>;
}

function readSections(old: string): Map<string, OldSection> {
  const sections = new Map<string, OldSection>();
  for (const part of old.split(/^## /m).slice(1)) {
    const [intro, ...subsections] = part.split(/^### /m);
    const [benchmark, question] = splitHead(intro!);
    sections.set(benchmark, { question, texts: new Map(subsections.map(splitHead)) });
  }
  return sections;
}

/** The heading, and what stands below it. */
function splitHead(text: string): [heading: string, body: string] {
  const end = text.indexOf("\n");
  return end < 0 ? [text.trim(), ""] : [text.slice(0, end).trim(), text.slice(end).trim()];
}
