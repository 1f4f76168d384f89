// Just enough DER to take keys and certificates apart: definite lengths, each in its shortest form; anything else is refused.

/** One value: its tag, its contents, and the whole of it. */
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
/** [1], constructed. */
export const CONTEXT_1 = 0xa1;
/** [1], primitive: where the tag takes the place of a BIT STRING's own. */
export const CONTEXT_1_PRIMITIVE = 0x81;

/** The values that stand one after the other in `bytes`; none if anything in their heads is not DER or a byte is left over. */
export function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = readHead(bytes, at);
    if (head === undefined || head.end > bytes.length) return [];
    elements.push({ tag: bytes[at]!, body: bytes.subarray(head.start, head.end), whole: bytes.subarray(at, head.end) });
    at = head.end;
  }
  return elements;
}

/** The members of the one SEQUENCE that `bytes` are; none if they are anything else. */
export function derSequence(bytes: Uint8Array): DerElement[] {
  const [sequence, ...others] = derElements(bytes);
  return sequence?.tag === SEQUENCE && others.length === 0 ? derElements(sequence.body) : [];
}

/** '1.3.101.112' of the contents of an OBJECT IDENTIFIER. */
export function dottedOid(body: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of body) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** Where the contents of the value at `at` begin and end. Longer than 16 MiB, and tags above 30, is nothing that we read. */
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
