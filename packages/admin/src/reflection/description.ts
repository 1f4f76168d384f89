// The description of a protocol as plain data. Nodes send it to tools, and tools store it in files.

import * as z from 'zod/mini';

/** A JSON value. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

/** A JSON Schema of draft 2020-12. `{}` allows every value. */
export type JsonSchema = { readonly [member: string]: JsonValue };

/** A message of a method: its codec and its shape, as far as it is known. */
export interface MessageDescription {
  /**
   * The name of the codec: 'json', 'bytes', 'empty', 'protobuf(raft.Append)', or that of your own.
   */
  readonly codec: string;
  /** Maximum length of a message in bytes, if the codec has a limit. */
  readonly limit?: number | undefined;
  /** The JSON Schema of the value that the sender passes, if the codec is `json`. */
  readonly schema?: JsonSchema | undefined;
  /** The full name of the message in `descriptors`, if the codec is `protobuf`. */
  readonly type?: string | undefined;
  /** The index in the protocol's `descriptors` of the set that has `type`. */
  readonly descriptors?: number | undefined;
}

/** A method of a protocol. */
export interface MethodDescription {
  readonly name: string;
  readonly id: number;
  readonly kind: 'unary' | 'oneway' | 'upload' | 'download' | 'duplex';
  /**
   * Milliseconds, or 'none' if the method has no timeout. If absent, the caller's default applies.
   */
  readonly timeout?: number | 'none' | undefined;
  readonly doc?: string | undefined;
  readonly request: MessageDescription;
  readonly response?: MessageDescription | undefined;
  readonly upload?: MessageDescription | undefined;
  readonly download?: MessageDescription | undefined;
}

/** The properties of a protocol without its methods. */
export interface ProtocolSummary {
  readonly name: string;
  readonly version: number;
  /** Other versions that the node understands. */
  readonly accepts: readonly number[];
  readonly channel: number;
  readonly doc?: string | undefined;
}

/** A protocol with its methods. It can be serialized as JSON. */
export interface ProtocolDescription extends ProtocolSummary {
  readonly priority: number;
  readonly ordered: boolean;
  readonly methods: readonly MethodDescription[];
  /** Sets of protobuf descriptors. Each is a FileDescriptorSet (of descriptor.proto) in base64. */
  readonly descriptors?: readonly string[] | undefined;
}

const uint32 = z.int().check(z.minimum(0), z.maximum(0xffff_ffff));
const text = (longest: number) => z.string().check(z.maxLength(longest));
const doc = z.optional(text(4_096));

const message = z.object({
  codec: text(1_024),
  limit: z.optional(z.number().check(z.positive())),
  schema: z.optional(z.record(z.string(), z.json())),
  type: z.optional(text(1_024)),
  descriptors: z.optional(z.int().check(z.minimum(0))),
});

const method = z.object({
  name: z.string(),
  id: z.int().check(z.minimum(1), z.maximum(0xffff_ffff)),
  kind: z.enum(['unary', 'oneway', 'upload', 'download', 'duplex']),
  timeout: z.optional(z.union([z.number().check(z.positive()), z.literal('none')])),
  doc,
  request: message,
  response: z.optional(message),
  upload: z.optional(message),
  download: z.optional(message),
});

const summary = {
  name: text(255),
  version: uint32,
  accepts: z.array(uint32).check(z.maxLength(64)),
  channel: z.int().check(z.minimum(0), z.maximum(0xff)),
  doc,
};

/** The schema of a summary, as it comes from a node. */
export const protocolSummary = z.object(summary);

/** The schema of a description, as it comes from a node or a file. */
export const protocolDescription = z.object({
  ...summary,
  priority: z.number().check(z.positive()),
  ordered: z.boolean(),
  methods: z.array(method),
  descriptors: z.optional(z.array(z.string())),
});
