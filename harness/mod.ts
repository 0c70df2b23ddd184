/**
 * A fake Falco for tests, with scenarios to play and everything around it.
 *
 * {@linkcode FakeFalco} speaks Falco's gRPC on a real unix socket or over real mutual TLS and
 * behaves as the real one does, down to its quirks; clients in any language can be tested with it.
 * The bundled {@linkcode scenarios} are incidents as data; {@linkcode openFixture} reads files of
 * your own, and {@linkcode buildAlert} makes single alerts. {@linkcode FakeClock} makes time stand
 * still.
 *
 * What can go wrong is data: a {@linkcode Fault} is given to `start` or `inject`, drawn by
 * {@linkcode drawFaults}, or put in front of any server by {@linkcode FaultyWire}. A
 * {@linkcode Player} holds, steps and moves a replay. `violations()` lists what clients did that a
 * real Falco takes amiss ({@linkcode Violation}). `FakeFalco.fromConfig` serves what a real
 * `falco.yaml` says, all output channels included. {@linkcode makeCertificates} makes certificates,
 * renewed and broken ones too; {@linkcode encodeAlerts} is for load tests. {@linkcode runContract}
 * looks whether something behaves as Falco does: the fake, or what is at any address. `docs/harness.md`
 * in the repository teaches all of it, step by step.
 *
 * ```ts
 * import { connect, FilterStream, isAtLeast } from "@falco-streams/core";
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * await fake.replay(scenarios.containerEscape);
 * const falco = connect(fake.address);
 * const severe = await Array.fromAsync(
 *   falco.outputs.get().pipeThrough(
 *     new FilterStream((alert) => isAtLeast(alert.priority, "critical")),
 *   ),
 * );
 * assert(severe.length > 0);
 * await falco.close();
 * await fake.stop();
 * ```
 *
 * ## Limitations
 *
 * - Falco 0.18 to 0.23 is served on a unix socket, too, if that is asked for; the real one has none.
 * - From 0.44 on there is no gRPC: it starts, and nobody listens at its address.
 * - A request without `:authority` is refused, which Falco accepts: `node:http2` does not hand such
 *   requests over.
 * - A call that Falco ends before the client has half-closed it is not reset afterwards.
 * - More than 8 KiB of metadata is answered with a reset for which gRPC's clients say status 8, too.
 * - Alerts share DATA frames unless `oneAlertPerFrame` says otherwise.
 * - README.md of the harness has the whole list, and what was checked against what.
 * - A fake made from a `falco.yaml` differs from Falco in this: rules, plugins, metrics and the web
 *   server are not there; `unix:/PATH` and `unix-abstract:` (TLS on a socket) do not listen; where
 *   SIGPIPE would kill Falco it lives on, as under systemd; the closing summary goes to standard error
 *   unless `stdout_output` is on, and has rules in the order in which they came; Falco's own log goes to
 *   syslog only if an address is given; `http_output` uses no proxy, and for the default `ca_path` the
 *   runtime's own authorities; a key that occurs twice is warned of.
 * - On Deno 2.9 a client that sends GOAWAY after it has cancelled a call on the same connection can
 *   crash the process (a fault in its `node:http2`). This package's own client hangs up without one.
 *
 * @module
 */
export { buildAlert } from "./build_alert.ts";
export type { RecordedCall } from "./call_log.ts";
export { makeCertificates, writeCertificates } from "./certificates.ts";
export type { Certificates, KeyedCertificate } from "./certificates.ts";
export type { BrokenCertificate, CertificatesOptions } from "./certificate_options.ts";
export type { ContractBehaviour, ContractNeed, ContractSection } from "./contract/behaviour.ts";
export type { ContractTarget } from "./contract/contract_target.ts";
export { contractBehaviours, runContract } from "./contract/run_contract.ts";
export type {
  ContractReport,
  ContractResult,
  RunContractOptions,
} from "./contract/run_contract.ts";
export { encodeAlerts } from "./encode_alerts.ts";
export type { EncodedAlerts } from "./encode_alerts.ts";
export { expandScenario } from "./expand_scenario.ts";
export type { ExpandScenarioOptions } from "./expand_scenario.ts";
export { FakeClock } from "./fake_clock.ts";
export { FakeFalco } from "./fake_falco.ts";
export type { FakeFalcoOptions, PlayOptions, ReplayOptions } from "./fake_falco_options.ts";
export { FalcoConfigError } from "./falco_config/config_error.ts";
export type { ConfigPlace, FalcoConfigWarning } from "./falco_config/config_error.ts";
export type {
  FalcoConfig,
  FalcoFileConfig,
  FalcoGrpcConfig,
  FalcoHttpConfig,
  FalcoProgramConfig,
} from "./falco_config/falco_config.ts";
export type { FakeFalcoConfigOptions } from "./falco_config/fake_falco_config_options.ts";
export type { FakeOutputs } from "./falco_config/fake_outputs.ts";
export { parseFalcoConfig } from "./falco_config/parse_falco_config.ts";
export type { ParseFalcoConfigOptions } from "./falco_config/parse_falco_config.ts";
export { drawFaults } from "./faults/draw_faults.ts";
export type { DrawFaultsOptions } from "./faults/draw_faults.ts";
export type {
  AlteredMessage,
  Fault,
  FaultMethod,
  FaultRecord,
  FaultTrailers,
  FaultTrigger,
  FaultType,
} from "./faults/fault.ts";
export { FaultyWire } from "./faults/faulty_wire.ts";
export type { FaultyWireOptions } from "./faults/faulty_wire.ts";
export { FixtureError } from "./fixtures/fixture.ts";
export type { Fixture } from "./fixtures/fixture.ts";
export { openFixture, scenarioFixture } from "./fixtures/open_fixture.ts";
export type { FixtureOptions } from "./fixtures/open_fixture.ts";
export type { OutputStats } from "./outputs/configured_outputs.ts";
export type { LogLevel } from "./outputs/falco_log.ts";
export { parseScenario } from "./parse_scenario.ts";
export type { Player } from "./player.ts";
export type { Scenario, ScenarioAlert } from "./scenario.ts";
export { scenarios } from "./scenarios/mod.ts";
export type { Replayable } from "./timeline.ts";
export { makeTempFolder } from "./temp_folder.ts";
export type { TempFolder } from "./temp_folder.ts";
export type { Violation, ViolationKind } from "./violation.ts";
export { expectNoAlert, waitForAlert } from "./wait_for_alert.ts";
export type { AlertMatch } from "./wait_for_alert.ts";
export type { WaitOptions } from "./wait_until.ts";
