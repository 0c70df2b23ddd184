/** What one behaviour of Falco is, and which test pins it. @module */

/**
 * A behaviour, by what was looked at: `api` is Falco's gRPC API as its source and its server code
 * have it, with the section's number; `run` is a whole Falco 0.43.1 that was watched. `title` is
 * the test's, as it stands in its file; `file` is `fake_falco_FILE_test.ts` unless it ends in
 * `_test`.
 */
export type Behaviour = readonly [
  section: string,
  behaviour: string,
  file: string,
  title: string,
];
