// Transcripts of connections, frame by frame, and the hex notation of docs/wire-protocol.md and
// docs/wire-vectors.json.

import { decodeBody, type RawFrame } from '../raw/raw-frames.ts';
import type { Side } from './pipes.ts';

/** The preamble, or one frame with its length. */
export interface TranscriptLine {
  side: Side;
  bytes: Uint8Array;
  /** The frame; undefined for a preamble and for bytes that are not a frame. */
  frame: RawFrame | undefined;
}

/** Splits what both sides write into lines, without PING and PONG. */
export class Transcript {
  readonly lines: TranscriptLine[] = [];
  private readonly rest = new Map<Side, Uint8Array>();
  private readonly begun = new Set<Side>();

  push(side: Side, chunk: Uint8Array): void {
    let bytes = Uint8Array.from([...(this.rest.get(side) ?? []), ...chunk]);
    if (!this.begun.has(side)) {
      if (bytes.length < 4) return void this.rest.set(side, bytes);
      this.begun.add(side);
      this.lines.push({ side, bytes: bytes.slice(0, 4), frame: undefined });
      bytes = bytes.slice(4);
    }
    for (;;) {
      const end = endOfFrame(bytes);
      if (end === undefined || end > bytes.length) break;
      this.add(side, bytes.slice(0, end));
      bytes = bytes.slice(end);
    }
    this.rest.set(side, bytes);
  }

  private add(side: Side, bytes: Uint8Array): void {
    const frame = bytes[0] === 0 ? undefined : decodeBody(bytes.slice(lengthOfPrefix(bytes)));
    if (frame?.kind !== 'PING' && frame?.kind !== 'PONG') this.lines.push({ side, bytes, frame });
  }
}

/** Returns the bytes of each side in a block of the document, in hex. */
export function readBlock(text: string): Record<Side, string> {
  const sides = { dialer: '', acceptor: '' };
  let side: Side = 'dialer';
  for (const line of text.split('\n')) {
    const [code = ''] = line.split('#');
    const mark = code.trim()[0];
    if (mark === '>') side = 'dialer';
    if (mark === '<') side = 'acceptor';
    sides[side] += readHex(code.replace(/[<>]/, ''));
  }
  return sides;
}

/** Expands the notation `2a 2b 2a*3` to plain hex. */
export function readHex(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [byte = '', times] = word.split('*');
      if (!/^([0-9a-f]{2})*$/.test(byte)) throw new Error(`'${word}' is no hex`);
      return times === undefined ? byte : byte.repeat(Number(times));
    })
    .join('');
}

/** Returns groups of bytes in hex, with long runs of one byte folded. */
export function spell(bytes: Uint8Array): string[] {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    let end = at + 1;
    while (bytes[end] === byte) end += 1;
    const hex = byte.toString(16).padStart(2, '0');
    if (end - at >= FOLD) {
      words.push(`${hex}*${end - at}`);
      at = end;
    } else {
      words.push(hex);
      at += 1;
    }
  }
  return words;
}

function endOfFrame(bytes: Uint8Array): number | undefined {
  let length = 0;
  for (let at = 0; at < 4; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return at + 1 + length;
  }
  throw new Error('a length of more than 4 bytes');
}

function lengthOfPrefix(bytes: Uint8Array): number {
  return bytes.findIndex((byte) => byte < 0x80) + 1;
}

/** The length from which a run is folded. */
const FOLD = 12;
