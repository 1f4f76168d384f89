// PEM (RFC 7468): bytes as text between two lines with a label.

import type { Bytes } from '@trunkline/transport-core/backend';

/** One block, from '-----BEGIN …-----' to its end. */
export interface PemBlock {
  /** The label, such as 'PRIVATE KEY' or 'CERTIFICATE'. */
  readonly label: string;
  /** The content; undefined if the block has no end or contains anything but base64. */
  readonly bytes: Bytes | undefined;
}

/**
 * Returns the PEM blocks of a string, in order. Text outside of them is ignored. A block without an
 * end is the last one returned.
 */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const begin = /-----BEGIN ([A-Z0-9 ]{1,64})-----/g;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const label = match[1]!;
    const endLine = `-----END ${label}-----`;
    const end = text.indexOf(endLine, begin.lastIndex);
    if (end === -1) return [...blocks, { label, bytes: undefined }];
    blocks.push({ label, bytes: decodeBase64(text.slice(begin.lastIndex, end)) });
    begin.lastIndex = end + endLine.length;
  }
  return blocks;
}

/**
 * Encodes bytes as PEM with lines of 64 characters, each with a line feed, like OpenSSL and Node.
 */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

function decodeBase64(text: string): Bytes | undefined {
  const base64 = text.replace(/\s+/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
