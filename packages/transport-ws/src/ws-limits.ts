// The limits that both sides pass to `ws`.

/**
 * The limits for incoming messages: at most 1 MiB (docs/wire-protocol.md §1), and uncompressed,
 * because compression would let a few bytes cost a lot. The limits for fragments and buffered
 * chunks are far below the defaults of `ws`, since each fragment or chunk costs memory beyond its
 * bytes.
 */
export const WS_LIMITS = {
  maxPayload: 1024 * 1024,
  perMessageDeflate: false,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
} as const;
