import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_ADDRESS, parseAddress } from "../lib/transport/address.ts";

const unixCases = [
  { text: "unix:///run/falco/falco.sock", path: "/run/falco/falco.sock" },
  { text: "unix:/run/falco/falco.sock", path: "/run/falco/falco.sock" },
  { text: "/run/falco/falco.sock", path: "/run/falco/falco.sock" },
  { text: "./falco.sock", path: "./falco.sock" },
  { text: "../run/falco.sock", path: "../run/falco.sock" },
  // Nothing in a path is special.
  { text: "unix:///tmp/with space/a:b?c#d%20", path: "/tmp/with space/a:b?c#d%20" },
  { text: "unix:////twice", path: "//twice" },
];

for (const { text, path } of unixCases) {
  test(`parseAddress() takes ${text} for a unix socket`, () => {
    assert.deepEqual(parseAddress(text), { kind: "unix", path, text: `unix://${path}` });
  });
}

const tlsCases = [
  { text: "https://localhost:5060", host: "localhost", port: 5060 },
  { text: "https://localhost:5060/", host: "localhost", port: 5060 },
  { text: "HTTPS://localhost:1", host: "localhost", port: 1 },
  { text: "falco.example.com:65535", host: "falco.example.com", port: 65535 },
  { text: "falco.example.com", host: "falco.example.com", port: 5060 },
  { text: "127.0.0.1:443", host: "127.0.0.1", port: 443 },
  { text: "[::1]:5061", host: "::1", port: 5061, shown: "[::1]" },
  { text: "https://[fe80::1]", host: "fe80::1", port: 5060, shown: "[fe80::1]" },
  // A name, not a scheme: there are hosts of that name.
  { text: "unix", host: "unix", port: 5060 },
];

for (const { text, host, port, shown = host } of tlsCases) {
  test(`parseAddress() takes ${text} for a host`, () => {
    const address = { kind: "tls", host, port, text: `https://${shown}:${port}` };
    assert.deepEqual(parseAddress(text), address);
    assert.deepEqual(parseAddress(address.text), address);
  });
}

const badCases: readonly { text: string; problem: RegExp }[] = [
  { text: "", problem: /it is not a host and a port/ },
  { text: "unix:falco.sock", problem: /the path must be absolute/ },
  { text: "unix://falco.sock", problem: /the path must be absolute/ },
  { text: "unix://", problem: /the path must be absolute/ },
  { text: "unix:///run/falco/", problem: /a socket is a file, not a folder/ },
  { text: "/", problem: /a socket is a file/ },
  { text: "/run/falco\0.sock", problem: /it holds a NUL/ },
  { text: "http://localhost:5060", problem: /over TCP Falco speaks only TLS/ },
  { text: "HTTP://localhost", problem: /over TCP Falco speaks only TLS/ },
  { text: "grpc://localhost:5060", problem: /the scheme "grpc" is not known/ },
  { text: "https://localhost:0", problem: /a port is between 1 and 65535/ },
  { text: "localhost:65536", problem: /a port is between 1 and 65535/ },
  { text: "localhost:", problem: /it is not a host and a port/ },
  { text: "localhost:falco", problem: /it is not a host and a port/ },
  { text: "localhost:123456", problem: /it is not a host and a port/ },
  { text: "::1", problem: /it is not a host and a port/ },
  { text: "[::1", problem: /it is not a host and a port/ },
  { text: "[:::::]:1", problem: /it is not a host and a port/ },
  { text: "a%zz:1", problem: /it is not a host and a port/ },
  { text: "https://user@localhost:1", problem: /it is not a host and a port/ },
  { text: "https://localhost:1/path", problem: /it is not a host and a port/ },
  { text: "https://localhost:1?query", problem: /it is not a host and a port/ },
  { text: "two words", problem: /it is not a host and a port/ },
  { text: "localhost:1\n", problem: /it is not a host and a port/ },
];

for (const { text, problem } of badCases) {
  test(`parseAddress() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseAddress(text), (error) => {
      assert(error instanceof TypeError);
      assert(error.message.startsWith(`Cannot use the address ${JSON.stringify(text)}: `));
      assert.match(error.message, problem);
      assert.match(error.message, /\. Write unix:\/\/\/run\/falco\/falco\.sock or https:/);
      return true;
    });
  });
}

test("parseAddress() takes port 0 for listening", () => {
  const address = parseAddress("localhost:0", { listening: true });
  assert.deepEqual(address, {
    kind: "tls",
    host: "localhost",
    port: 0,
    text: "https://localhost:0",
  });
  assert.throws(() => parseAddress("localhost:65536", { listening: true }), /between 0 and 65535/);
  assert.throws(() => parseAddress("localhost:0", { listening: false }), TypeError);
});

test("parseAddress() understands its own default", () => {
  assert.equal(parseAddress(DEFAULT_ADDRESS).text, DEFAULT_ADDRESS);
});
