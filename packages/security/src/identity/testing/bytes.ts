// Conversions between bytes and text, for tests.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

export const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
  hexToBytes(hex) as Uint8Array<ArrayBuffer>;
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes);
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
