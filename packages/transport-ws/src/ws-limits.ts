// What `ws` accepts, for both sides.

/**
 * A message of at most 1 MiB (docs/wire-protocol.md §1), uncompressed: compression multiplies what a few bytes cost. Of its fragments and of
 * the chunks they come in there are far fewer than `ws` would take, since each costs memory beyond its bytes.
 */
export const WS_LIMITS = { maxPayload: 1024 * 1024, perMessageDeflate: false, maxFragments: 1_024, maxBufferedChunks: 4_096 } as const;
