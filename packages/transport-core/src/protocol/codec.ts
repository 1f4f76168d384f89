// The interface of codecs, the only place where values and bytes are converted into each other.

/**
 * Converts values into bytes and back. If they refuse their input, `encode` and `decode` throw a
 * TransportError: `invalid_argument`, or `resource_exhausted` with reason `too_large` for a message
 * above one of the codec's limits.
 */
export interface Codec<Out, In = Out> {
  /** The name shown in errors and tools: 'bytes', 'json', 'protobuf(raft.Append)'. */
  readonly name: string;
  /**
   * Maximum length, in bytes, of a message that `encode` produces and `decode` accepts. If a peer
   * announces a longer request, it is refused at its first packet, before memory is allocated for
   * it. Without this member, only the transport's `limits` bound messages.
   */
  readonly limit?: number | undefined;
  /**
   * The schema or message type from which the codec was made: the Standard Schema of `json`, the
   * protobufjs type of `protobuf`. Only tools read it, to describe the messages to others.
   */
  readonly schema?: unknown;
  /**
   * True if nobody changes the bytes that `encode` has returned, so that they are never copied
   * before they are sent. Otherwise the program may change them once its call or write has settled.
   */
  readonly owned?: boolean | undefined;
  /** Returns the bytes of a value. */
  encode(value: In): Uint8Array;
  /** Returns the value that the bytes from a peer represent. */
  decode(bytes: Uint8Array): Out;
}
