// The test vectors of docs/wire-vectors.json: conversations of two ends, frame by frame, as bytes
// and as fields.

import type { RawFrame, RawHello } from '../raw/raw-frames.ts';
import type { Side } from './pipes.ts';
import { readHex, spell, type TranscriptLine } from './transcript.ts';

export interface Vectors {
  about: string[];
  conversations: Conversation[];
  codecs: { codec: string; about: string; bytes: string }[];
  /** The channels of protocols whose definitions give none. */
  channels: { protocol: string; channel: number }[];
  /** The ids of methods whose definitions give none. */
  methods: { method: string; id: number }[];
}

export interface Conversation {
  name: string;
  about: string;
  /** The frames in one possible order: only the order within a direction is fixed. */
  frames: Sent[];
}

interface Sent {
  from: Side;
  bytes: string;
  /** The fields of the frame; 'preamble' for a preamble, null for bytes that are not a frame. */
  frame: Record<string, unknown> | 'preamble' | null;
}

export function conversationOf(
  name: string,
  about: string,
  lines: readonly TranscriptLine[],
): Conversation {
  return {
    name,
    about,
    frames: lines.map(({ side, bytes, frame }) => ({
      from: side,
      bytes: fold(bytes),
      frame: described(bytes, frame),
    })),
  };
}

/** Returns all bytes of each side, in hex. */
export function sidesOf({ frames }: Conversation): Record<Side, string> {
  const sides = { dialer: '', acceptor: '' };
  for (const { from, bytes } of frames) sides[from] += readHex(bytes);
  return sides;
}

function described(bytes: Uint8Array, frame: RawFrame | undefined): Sent['frame'] {
  if (frame === undefined) return bytes.length === 4 ? 'preamble' : null;
  const { hello, ...rest } = frame;
  return { ...present(rest), ...(hello !== undefined && { hello: describedHello(hello) }) };
}

function describedHello({ protocols, limits, ...rest }: RawHello): Record<string, unknown> {
  return {
    ...present(rest),
    ...(protocols.length > 0 && { protocols: protocols.map(present) }),
    ...(limits && { limits: present(limits) }),
  };
}

/** Returns the fields that are on the wire; fields that are 0 or empty are not. */
function present(fields: object): Record<string, unknown> {
  const left = Object.entries(fields).flatMap(([name, value]) => {
    if (value instanceof Uint8Array)
      return value.length === 0 ? [] : [[name, fold(value)] as const];
    const isEmpty =
      value === 0 ||
      value === '' ||
      value === null ||
      (typeof value === 'object' && Object.keys(value).length === 0);
    return isEmpty ? [] : [[name, value] as const];
  });
  return Object.fromEntries(left);
}

function fold(bytes: Uint8Array): string {
  return spell(bytes).join(' ');
}

/** Returns the frames that one side sends, in order. */
export function framesOf({ frames }: Conversation, side: string) {
  return frames.filter(({ from }) => from === side).map(({ frame }) => frame);
}

/** Replaces the entry that `isIt` accepts, or appends one. */
export function put<T>(list: T[], made: T, isIt: (each: T) => boolean): void {
  const at = list.findIndex(isIt);
  if (at < 0) list.push(made);
  else list[at] = made;
}
