/** Pieces of `falco.yaml` that tests share. @module */

/** The least that Falco starts with. */
export const stdout = "stdout_output: { enabled: true }\n";

/** The configuration over the network of Falco's documentation, and the one on a socket. */
export const documented = {
  tls: `grpc:
  enabled: true
  bind_address: "0.0.0.0:5060"
  threadiness: 8
  private_key: "/etc/falco/certs/server.key"
  cert_chain: "/etc/falco/certs/server.crt"
  root_certs: "/etc/falco/certs/ca.crt"
grpc_output:
  enabled: true
`,
  unix: `grpc:
  enabled: true
  bind_address: "unix:///var/run/falco.sock"
  threadiness: 8
grpc_output:
  enabled: true
`,
};
