// Bytes as a short text that people can read.

/** Returns the beginning of bytes: as text in quotes if they are text, otherwise in hexadecimal. */
export function preview(bytes: Uint8Array): string {
  const isWhole = bytes.length <= MOST;
  const head = bytes.subarray(0, MOST);
  // A character may be cut off at the end, so the text of a longer value is not checked strictly.
  const text = decode(head, isWhole);
  if (text !== undefined && !/[\p{Cc}\p{Cs}\uFFFD]/u.test(isWhole ? text : text.replace(/.$/u, '')))
    return `'${text}'${isWhole ? '' : '…'}`;
  const digits = Array.from(head.subarray(0, MOST / 2), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  return `0x${digits}${bytes.length > MOST / 2 ? '…' : ''}`;
}

function decode(bytes: Uint8Array, fatal: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Maximum number of bytes that are shown. */
const MOST = 60;
