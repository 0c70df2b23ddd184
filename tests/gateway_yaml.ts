/** A `gateway.yaml` with everything and one with the least, that tests share. @module */

/** Every key there is, each with a value that is right. */
export const full = `version: 1
falcoVersion: 0.42.0
drainMs: 5000
logLevel: debug
maxSeries: 100
admin: { listen: "0.0.0.0:9376", allowInsecure: true }
sources:
  - name: old
    type: grpc
    address: https://falco:5060
    tls: { ca: ca.crt, cert: client.crt, key: client.key, serverName: localhost }
    maxPollMs: 100
  - name: new
    type: http
    listen: "[::1]:2801"
    path: /falco
    tls: { cert: server.crt, key: server.key, clientCa: ca.crt }
    tokenFile: token
    allowInsecure: true
    maxBodyBytes: 100000
    maxConnections: 10
    requestTimeoutMs: 1000
    maxQueuedAlerts: 10
    overflow: refuse
    text: invalid
  - { name: file, type: file, path: a.json, from: start, pollMs: 100, maxLineBytes: 2000, text: alert }
  - { name: in, type: stdin, maxLineBytes: 2000, text: invalid }
  - { name: token, type: http, listen: "0.0.0.0:2802", token: s3cret }
listeners:
  - name: local
    address: unix:///run/falco/falco.sock
    delivery: fanout
    filter: alert.priority >= warning and proc.name in (bash, sh)
    queue: { alerts: 100, bytes: 1000000, overflow: disconnect }
    replay: { alerts: 10 }
    maxSubscribers: 5
    maxConnections: 6
  - name: remote
    address: localhost:5060
    tls: { ca: ca.crt, cert: server.crt, key: server.key }
    delivery: shared
    queue: { overflow: drop-newest }
`;

/** Only the keys that are needed. */
export const least = `version: 1
sources:
  - name: falco
    type: http
    listen: 127.0.0.1:2801
listeners:
  - name: local
    address: unix:///run/falco.sock
`;
