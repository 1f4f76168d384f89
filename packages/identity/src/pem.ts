// PEM (RFC 7468): bytes as text between two lines that say what they are.

/** One '-----BEGIN …-----' to its end. */
export interface PemBlock {
  /** 'PRIVATE KEY', 'CERTIFICATE' … */
  readonly label: string;
  /** Undefined where there is no end, or anything but base64 between. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** The blocks of a text, in order; what stands outside them is a comment. After a block with no end none is looked for. */
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

/** Lines of 64 characters, the last one ended too: what OpenSSL and Node write. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = text.replace(/\s+/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
