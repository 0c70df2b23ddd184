/** The generated contract against Falco's, written down here a second time and by hand. */
import { create, fromBinary, ScalarType, toBinary, toJson } from "@bufbuild/protobuf";
import type { DescEnum, DescField, DescMessage, DescService } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as legacy from "../gen/legacy_output_pb.ts";
import * as outputs from "../gen/outputs_pb.ts";
import * as schema from "../gen/schema_pb.ts";
import * as version from "../gen/version_pb.ts";

/** The type of a field as a .proto file has it. */
function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return ScalarType[field.scalar].toLowerCase();
    case "enum":
      return field.enum.typeName;
    case "message":
      return field.message.typeName;
    case "list":
      assert.equal(field.listKind, "scalar");
      return `repeated ${ScalarType[field.scalar].toLowerCase()}`;
    case "map":
      assert.equal(field.mapKind, "scalar");
      return `map<${ScalarType[field.mapKey]}, ${ScalarType[field.scalar]}>`.toLowerCase();
  }
}

/** The fields of a message as lines of a .proto file, in order. */
function fieldsOf(message: DescMessage): string[] {
  return message.fields.map((field) => `${typeOf(field)} ${field.name} = ${field.number}`);
}

/** The methods of a service: path on the wire, kind, message types. */
function methodsOf(service: DescService): string[][] {
  return service.methods.map((method) => [
    `/${service.typeName}/${method.name}`,
    method.methodKind,
    method.input.typeName,
    method.output.typeName,
  ]);
}

/** The names of an enum by number, in order. */
function namesOf(descriptor: DescEnum): Record<number, string[]> {
  const names: Record<number, string[]> = {};
  for (const { number, name } of descriptor.values) (names[number] ??= []).push(name);
  return names;
}

const priorityNames: Record<number, string[]> = {
  0: ["EMERGENCY", "emergency", "Emergency"],
  1: ["ALERT", "alert", "Alert"],
  2: ["CRITICAL", "critical", "Critical"],
  3: ["ERROR", "error", "Error"],
  4: ["WARNING", "warning", "Warning"],
  5: ["NOTICE", "notice", "Notice"],
  6: ["INFORMATIONAL", "informational", "Informational"],
  7: ["DEBUG", "debug", "Debug"],
};

const sourceNames: Record<number, string[]> = {
  0: ["SYSCALL", "syscall", "Syscall"],
  1: ["K8S_AUDIT", "k8s_audit", "K8s_audit", "K8S_audit"],
  2: ["INTERNAL", "internal", "Internal"],
  3: ["PLUGIN", "plugin", "Plugin"],
};

describe("gen/ services", () => {
  const cases = [
    {
      name: "outputs, 0.24.0 to 0.43.x",
      service: outputs.service,
      expected: [
        ["/falco.outputs.service/sub", "bidi_streaming"],
        ["/falco.outputs.service/get", "server_streaming"],
      ],
    },
    {
      name: "legacy output, 0.18.0 to 0.23.x",
      service: legacy.service,
      expected: [["/falco.output.service/subscribe", "server_streaming"]],
    },
    {
      name: "version, since 0.20.0",
      service: version.service,
      expected: [["/falco.version.service/version", "unary"]],
    },
  ];
  for (const { name, service, expected } of cases) {
    it(`has the paths and kinds of ${name}`, () => {
      const types = [
        `${service.file.proto.package}.request`,
        `${service.file.proto.package}.response`,
      ];
      assert.deepEqual(methodsOf(service), expected.map((method) => [...method, ...types]));
    });
  }
});

describe("gen/ messages", () => {
  const cases = [
    { name: "falco.outputs.request", message: outputs.requestSchema, expected: [] },
    {
      name: "falco.outputs.response",
      message: outputs.responseSchema,
      expected: [
        "google.protobuf.Timestamp time = 1",
        "falco.schema.priority priority = 2",
        "falco.schema.source source_deprecated = 3",
        "string rule = 4",
        "string output = 5",
        "map<string, string> output_fields = 6",
        "string hostname = 7",
        "repeated string tags = 8",
        "string source = 9",
      ],
    },
    {
      name: "falco.output.request",
      message: legacy.requestSchema,
      expected: ["bool keepalive = 1"],
    },
    {
      name: "falco.output.response",
      message: legacy.responseSchema,
      expected: [
        "google.protobuf.Timestamp time = 1",
        "falco.schema.priority priority = 2",
        "falco.schema.source source = 3",
        "string rule = 4",
        "string output = 5",
        "map<string, string> output_fields = 6",
        "string hostname = 7",
      ],
    },
    { name: "falco.version.request", message: version.requestSchema, expected: [] },
    {
      name: "falco.version.response",
      message: version.responseSchema,
      expected: [
        "string version = 1",
        "uint32 major = 2",
        "uint32 minor = 3",
        "uint32 patch = 4",
        "string prerelease = 5",
        "string build = 6",
        "uint32 engine_minor = 7",
        "string engine_fields_checksum = 8",
        "uint32 engine_major = 9",
        "uint32 engine_patch = 10",
        "string engine_version = 11",
      ],
    },
  ];
  for (const { name, message, expected } of cases) {
    it(`has the numbers and types of ${name}`, () => {
      assert.equal(message.typeName, name);
      assert.deepEqual(fieldsOf(message), expected);
    });
  }

  it("marks source_deprecated, and nothing else, as deprecated", () => {
    const deprecated = outputs.responseSchema.fields.filter((field) => field.deprecated);
    assert.deepEqual(deprecated.map((field) => field.name), ["source_deprecated"]);
  });
});

describe("gen/ enums", () => {
  const cases = [
    { descriptor: schema.prioritySchema, values: schema.priority, expected: priorityNames },
    { descriptor: schema.sourceSchema, values: schema.source, expected: sourceNames },
  ];
  for (const { descriptor, values, expected } of cases) {
    it(`has the numbers and all spellings of ${descriptor.typeName}`, () => {
      assert.deepEqual(namesOf(descriptor), expected);
      const flat = Object.entries(expected)
        .flatMap(([number, names]) => names.map((name) => [name, Number(number)]));
      assert.deepEqual({ ...values }, Object.fromEntries(flat));
    });
  }

  it("are written to JSON with the first spelling", () => {
    for (const priority of new Set(Object.values(schema.priority))) {
      const alert = create(outputs.responseSchema, { priority });
      const expected = priority === 0 ? {} : { priority: priorityNames[priority]?.[0] };
      assert.deepEqual(toJson(outputs.responseSchema, alert), expected);
    }
  });
});

describe("gen/ on the wire", () => {
  it("leaves out EMERGENCY, SYSCALL and a major version of 0", () => {
    const alert = create(outputs.responseSchema, {
      priority: schema.priority.EMERGENCY,
      sourceDeprecated: schema.source.SYSCALL,
      source: "s",
    });
    assert.deepEqual([...toBinary(outputs.responseSchema, alert)], [0x4a, 1, 0x73]);
    const falco = create(version.responseSchema, { major: 0, minor: 43 });
    assert.deepEqual([...toBinary(version.responseSchema, falco)], [0x18, 43]);
  });

  it("reads an alert written by hand", () => {
    const bytes = [
      ...[0x0a, 4, 0x08, 1, 0x10, 2], // time: 1 s, 2 ns
      ...[0x10, 5], // priority: NOTICE
      ...[0x18, 3], // source_deprecated: PLUGIN
      ...[0x22, 1, 0x72], // rule: r
      ...[0x2a, 1, 0x6f], // output: o
      ...[0x32, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76], // output_fields: k = v
      ...[0x3a, 1, 0x68], // hostname: h
      ...[0x42, 1, 0x74], // tags: t
      ...[0x4a, 1, 0x73], // source: s
    ];
    const alert = create(outputs.responseSchema, {
      time: { seconds: 1n, nanos: 2 },
      priority: schema.priority.NOTICE,
      sourceDeprecated: schema.source.PLUGIN,
      rule: "r",
      output: "o",
      outputFields: { k: "v" },
      hostname: "h",
      tags: ["t"],
      source: "s",
    });
    assert.deepEqual(fromBinary(outputs.responseSchema, Uint8Array.from(bytes)), alert);
    assert.deepEqual([...toBinary(outputs.responseSchema, alert)], bytes);
  });

  it("writes keepalive as 08 01", () => {
    const request = create(legacy.requestSchema, { keepalive: true });
    assert.deepEqual([...toBinary(legacy.requestSchema, request)], [0x08, 0x01]);
  });
});
