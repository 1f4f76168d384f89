// The key of a topic, by which nodes refer to it. It always has 32 bytes.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { KEY_BYTES } from '../protocol.ts';

/** A topic's key, and its name for people. */
export interface TopicKey {
  /** The name in events and errors: the string that was given, or the bytes in hex. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly hex: string;
}

/**
 * Returns the SHA-256 of a name, or the 32 bytes that were given. Throws a TypeError for anything
 * else.
 */
export function topicKey(topic: string | Uint8Array): TopicKey {
  if (typeof topic === 'string') {
    if (LONE.test(topic))
      throw new TypeError(
        'gossip.topic: topic: must be a well-formed string; this one has half of a surrogate pair',
      );
    const bytes = sha256(utf8ToBytes(topic));
    return { name: topic, bytes, hex: bytesToHex(bytes) };
  }
  if (!(topic instanceof Uint8Array) || topic.length !== KEY_BYTES) {
    throw new TypeError(
      `gossip.topic: topic: must be a string or ${KEY_BYTES} bytes, got ${topic instanceof Uint8Array ? `${topic.length} bytes` : typeof topic}`,
    );
  }
  const bytes = new Uint8Array(topic);
  const hex = bytesToHex(bytes);
  return { name: hex, bytes, hex };
}

const LONE = /\p{Surrogate}/u;
