// How a value becomes bytes. Codecs are the only place where values and bytes meet.

/**
 * Turns values into bytes and back. `encode` and `decode` throw a TransportError for what they refuse: `invalid_argument`, or
 * `resource_exhausted` with reason `too_large` for a message above a limit of the codec.
 */
export interface Codec<Out, In = Out> {
  /** For errors and tools: 'bytes', 'json', 'protobuf(raft.Append)'. */
  readonly name: string;
  /**
   * The longest message, in bytes, that `encode` makes and `decode` takes. A request that is announced as longer is refused with its first
   * packet, before memory is taken for it. Left out, only the transport's `limits` bound messages.
   */
  readonly limit?: number | undefined;
  encode(value: In): Uint8Array;
  decode(bytes: Uint8Array): Out;
}
