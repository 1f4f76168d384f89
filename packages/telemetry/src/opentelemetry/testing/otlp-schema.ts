// Checks a body of OTLP/JSON against the schema of OTLP. Finds fields that the schema lacks, values
// of the wrong type, and ids that are not hex digits. The schema is the part of opentelemetry-proto
// 1.x that spans, counters, gauges and histograms need.

import protobuf from 'protobufjs';

/**
 * Throws an Error that names the first wrong field. `path` is the path of the request: '/v1/traces'
 * or '/v1/metrics'.
 */
export function checkOtlp(path: string, body: unknown): void {
  const name = REQUESTS[path];
  if (name === undefined) throw new Error(`${path} is no path of OTLP`);
  const type = SCHEMA.lookupType(name);
  const message = readMessage(type, body, name);
  const wrong = type.verify(message);
  if (wrong !== null) throw new Error(`${name}: ${wrong}`);
  type.decode(type.encode(type.fromObject(message)).finish());
}

/** Returns a message as protobufjs expects it, with bytes instead of hex digits. */
function readMessage(type: protobuf.Type, value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${at} must be an object, got ${JSON.stringify(value)}`);
  const message: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    const field = type.fields[key]?.resolve();
    if (field === undefined) throw new Error(`${at}.${key}: ${type.name} has no such field`);
    if (given === undefined || given === null) continue;
    const place = `${at}.${key}`;
    if (field.repeated) {
      if (!Array.isArray(given)) throw new Error(`${place} must be a list`);
      message[key] = given.map((each, i) => readValue(field, each, `${place}[${i}]`));
    } else message[key] = readValue(field, given, place);
  }
  return message;
}

function readValue(field: protobuf.Field, value: unknown, at: string): unknown {
  const { resolvedType: type } = field;
  if (type instanceof protobuf.Type) return readMessage(type, value, at);
  const isFit =
    type instanceof protobuf.Enum
      ? type.valuesById[value as number] !== undefined
      : FITS[field.type]!(value, field.name);
  if (!isFit) throw new Error(`${at} must be ${type?.name ?? field.type}, got ${String(value)}`);
  if (field.type === 'bytes') return Uint8Array.from(Buffer.from(value as string, 'hex'));
  return field.type.endsWith('64') ? longOf(value as string | number, field.type) : value;
}

/** Returns an integer of 64 bits as protobufjs expects it. */
function longOf(value: string | number, type: string): object {
  const bits = BigInt(value);
  const [low, high] = [bits, bits >> 32n].map((part) => Number(BigInt.asIntN(32, part)));
  return { low, high, unsigned: type === 'fixed64' };
}

const isInteger = (value: unknown) =>
  (typeof value === 'string' && /^-?\d+$/.test(value)) || Number.isSafeInteger(value);

/** The values that OTLP/JSON allows for each type. */
const FITS: Readonly<Record<string, (value: unknown, field: string) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  double: (value) => typeof value === 'number',
  uint32: (value) => Number.isInteger(value) && (value as number) >= 0,
  fixed32: (value) => Number.isInteger(value) && (value as number) >= 0,
  fixed64: (value) => isInteger(value) && !String(value).startsWith('-'),
  sfixed64: isInteger,
  int64: isInteger,
  bytes: (value, field) =>
    typeof value === 'string' &&
    new RegExp(`^[0-9a-f]{${field === 'traceId' ? 32 : 16}}$`).test(value),
};

const REQUESTS: Readonly<Record<string, string>> = {
  '/v1/traces': 'ExportTraceServiceRequest',
  '/v1/metrics': 'ExportMetricsServiceRequest',
};

const SCHEMA = protobuf
  .parse(`
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  string trace_state = 3;
  bytes parent_span_id = 4;
  fixed32 flags = 16;
  string name = 5;
  enum SpanKind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
  SpanKind kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10;
  message Event {
    fixed64 time_unix_nano = 1;
    string name = 2;
    repeated KeyValue attributes = 3;
    uint32 dropped_attributes_count = 4;
  }
  repeated Event events = 11;
  uint32 dropped_events_count = 12;
  message Link {
    bytes trace_id = 1;
    bytes span_id = 2;
    string trace_state = 3;
    repeated KeyValue attributes = 4;
    uint32 dropped_attributes_count = 5;
    fixed32 flags = 6;
  }
  repeated Link links = 13;
  uint32 dropped_links_count = 14;
  Status status = 15;
}
message Status {
  string message = 2;
  enum StatusCode { UNSET = 0; OK = 1; ERROR = 2; }
  StatusCode code = 3;
}
message ExportMetricsServiceRequest { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
message ScopeMetrics { InstrumentationScope scope = 1; repeated Metric metrics = 2; string schema_url = 3; }
message Metric {
  string name = 1;
  string description = 2;
  string unit = 3;
  oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
  repeated KeyValue metadata = 12;
}
enum AggregationTemporality { UNSPECIFIED = 0; DELTA = 1; CUMULATIVE = 2; }
message Gauge { repeated NumberDataPoint data_points = 1; }
message Sum {
  repeated NumberDataPoint data_points = 1;
  AggregationTemporality aggregation_temporality = 2;
  bool is_monotonic = 3;
}
message Histogram {
  repeated HistogramDataPoint data_points = 1;
  AggregationTemporality aggregation_temporality = 2;
}
message NumberDataPoint {
  repeated KeyValue attributes = 7;
  fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3;
  oneof value { double as_double = 4; sfixed64 as_int = 6; }
  uint32 flags = 8;
}
message HistogramDataPoint {
  repeated KeyValue attributes = 9;
  fixed64 start_time_unix_nano = 2;
  fixed64 time_unix_nano = 3;
  fixed64 count = 4;
  optional double sum = 5;
  repeated fixed64 bucket_counts = 6;
  repeated double explicit_bounds = 7;
  uint32 flags = 10;
  optional double min = 11;
  optional double max = 12;
}
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message InstrumentationScope {
  string name = 1;
  string version = 2;
  repeated KeyValue attributes = 3;
  uint32 dropped_attributes_count = 4;
}
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    KeyValueList kvlist_value = 6;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`)
  .root.resolveAll();
