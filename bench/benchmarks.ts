/** The benchmarks by name. @module */
import type { Benchmark } from "./bench.ts";

/** All of them, in the order in which they run and stand in RESULTS.md. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  streams: {
    question: "What do filter, map and batch cost, with each kind of end?",
    load: async () => (await import("./streams.ts")).benchStreams,
  },
  chains: {
    question: "What do chains of 1, 3 and 8 operators cost?",
    load: async () => (await import("./streams.ts")).benchChains,
  },
  garbage: {
    question: "How many bytes does each alert leave to the garbage collector?",
    load: async () => (await import("./garbage.ts")).benchGarbage,
  },
  conditions: {
    question: "What does a condition in Falco's language cost beside code written by hand?",
    load: async () => (await import("./conditions.ts")).benchConditions,
  },
  carriers: {
    question: "How fast are alerts decoded, encoded, parsed and formatted?",
    load: async () => (await import("./carriers.ts")).benchCarriers,
  },
  replay: {
    question: "How fast do alerts get from the fake Falco to the client?",
    load: async () => (await import("./replay.ts")).benchReplay,
  },
  fake: {
    question: "How many alerts a second does the fake Falco send, and how soon after start()?",
    load: async () => (await import("./fake.ts")).benchFake,
  },
  gateway: {
    question: "What does an alert cost on its way through the gateway to 1, 10 and 100 clients?",
    load: async () => (await import("./gateway.ts")).benchGateway,
  },
  http: {
    question: "How fast are alerts taken that are posted, and what CPU does one cost?",
    load: async () => (await import("./http.ts")).benchHttpIngest,
  },
  file: {
    question: "How fast is a file of 1 GB read, beside tail and jq?",
    load: async () => (await import("./file.ts")).benchFollowFile,
  },
};
