// How a value becomes bytes. Codecs are the only place where values and bytes meet.

/** Turns values into bytes and back. `encode` and `decode` throw a TransportError `invalid_argument` for what they refuse. */
export interface Codec<Out, In = Out> {
  /** For errors and tools: 'bytes', 'json', 'protobuf(raft.Append)'. */
  readonly name: string;
  encode(value: In): Uint8Array;
  decode(bytes: Uint8Array): Out;
}
