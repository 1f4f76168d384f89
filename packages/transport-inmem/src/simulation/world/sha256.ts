// SHA-256, synchronous: the runtime's where it has one, five times as fast as the library that every other runtime gets.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** A hash that grows. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Of all so far and these, which stay out of it. Lower-case hex. */
  hexWith(bytes: Uint8Array): string;
}

export function createHasher(): Hasher {
  return native === undefined ? portableHasher() : nativeHasher(native);
}

/** The library's, for browsers. */
export function portableHasher(): Hasher {
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), hexWith: (bytes) => bytesToHex(hash.clone().update(bytes).digest()) };
}

interface NativeHash {
  update(bytes: Uint8Array): NativeHash;
  copy(): NativeHash;
  digest(encoding: 'hex'): string;
}

interface NativeCrypto {
  createHash(name: 'sha256'): NativeHash;
}

function nativeHasher(crypto: NativeCrypto): Hasher {
  const hash = crypto.createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hexWith: (bytes) => hash.copy().update(bytes).digest('hex') };
}

const host = globalThis as { process?: { getBuiltinModule?(name: string): NativeCrypto | undefined } };
const native = host.process?.getBuiltinModule?.('node:crypto');
