// The part of DER that is needed to parse keys and certificates: definite lengths in their shortest
// form. Anything else is rejected.
//
// `@peculiar/x509`, which makes our certificates, could parse these too. But this file, `pem.ts`,
// `pkcs8.ts` and `spki.ts` take only 3.3 kB (gzip) and let a node use its key without the library.
// Loading the library takes 3.5 times the CPU time of loading all of identity, 3.5 MB of heap, and
// 62 kB (gzip) in a browser. The library also reads keys only asynchronously, and does not describe
// the content of a wrong file.

/** One value: its tag, its contents, and all its bytes. Both are views of the input, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array;
}

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;
/** [0], constructed: an optional member. */
export const CONTEXT_0 = 0xa0;
/** [1], constructed: an optional member. */
export const CONTEXT_1 = 0xa1;
/** [1], primitive: implicitly tagged, instead of the tag of a BIT STRING. */
export const CONTEXT_1_PRIMITIVE = 0x81;

/**
 * Returns the consecutive values in `bytes`. Returns an empty list if `readHead` refuses a tag or
 * length, or if a byte is left over. An empty input also gives an empty list.
 */
export function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = readHead(bytes, at);
    if (head === undefined || head.end > bytes.length) return [];
    elements.push({
      tag: bytes[at]!,
      body: bytes.subarray(head.start, head.end),
      whole: bytes.subarray(at, head.end),
    });
    at = head.end;
  }
  return elements;
}

/**
 * Returns the members of a SEQUENCE that makes up all of `bytes`, or an empty list if `bytes` is
 * anything else.
 */
export function derSequence(bytes: Uint8Array): DerElement[] {
  const [sequence, ...others] = derElements(bytes);
  return sequence?.tag === SEQUENCE && others.length === 0 ? derElements(sequence.body) : [];
}

/**
 * Formats the contents of an OBJECT IDENTIFIER, for example as '1.3.101.112'. The text is only for
 * people to read, so a last arc that is cut off is omitted.
 */
export function dottedOid(body: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of body) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0)
      arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/**
 * Returns the positions at which the contents of the value at `at` start and end; the end may be
 * beyond `bytes`. Returns undefined for a tag above 30, and for a length that is indefinite, cut
 * off, not in its shortest form, or at least 16 MiB. Tags are not checked otherwise.
 */
function readHead(bytes: Uint8Array, at: number): { start: number; end: number } | undefined {
  const tag = bytes[at]!;
  const first = bytes[at + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first - 0x80;
  if (count < 1 || count > 3 || at + 2 + count > bytes.length) return undefined;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + bytes[at + 2 + i]!;
  const isShortest = length >= (count === 1 ? 0x80 : 256 ** (count - 1));
  return isShortest ? { start: at + 2 + count, end: at + 2 + count + length } : undefined;
}
