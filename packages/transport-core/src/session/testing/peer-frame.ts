// Frames of a misbehaving peer, made from arbitrary bytes: of any kind, with any fields, whether or
// not the protocol allows them.

import type { FrameEncoder } from '../../wire/encoder.ts';
import { Kind } from '../../wire/frame.ts';
import { encodeMetadata } from '../../wire/metadata.ts';
import { type MessageFields, writeMessage } from '../../wire/testing/frames.ts';
import { SMALL } from './pair.ts';

/** Bytes for payloads: three packets. */
export const payload: Uint8Array = new Uint8Array(SMALL.packet * 3);

/**
 * Encodes one frame or, for the kinds 14 and 15, a flood of them. `kind` is 0 to 15, and `take`
 * returns the next bytes of the input, which become the fields. Returns a number that determines
 * where the bytes are cut.
 */
export function encodePeerFrame(
  encoder: FrameEncoder,
  kind: number,
  take: (length: number) => Uint8Array,
): number {
  const [id = 0, byte = 0, method = 0, flags = 0, length = 0, more = 0] = take(6);
  const channel = byte === 0 ? 0x20 : byte;
  const end = Math.min(payload.length, length < 250 ? length : SMALL.packet + 252 - length);
  const size = (more & 7) === 0 ? 0 : (more & 7) * (more < 128 ? 500 : SMALL.packet);
  const metadata = more === 64 ? encodeMetadata({ key: 'value' }) : undefined;
  const body = payload.subarray(0, end);
  const message = (fields: MessageFields) => writeMessage(encoder, fields, body);
  const call = { id, channel, method, metadata, size };
  /** Opens the same call again and again, as a flood does. */
  const flood = (fields: (n: number) => MessageFields) => {
    for (let n = 0; n < (more & 31); n++)
      writeMessage(encoder, { channel: 0x20, method, ...fields(n) }, payload.subarray(0, length));
  };
  const told = { code: method, reason: flags, text: 'no', metadata: undefined };
  const write = [
    () => message({ ...call, kind: Kind.REQUEST, flags: flags & 7, timeout: more }),
    () => message({ ...call, kind: Kind.ONEWAY }),
    () => message({ kind: Kind.RESPONSE, id, size }),
    () => message({ kind: Kind.ITEM, id, size }),
    () => message({ kind: Kind.PART, id }),
    () => encoder.signal(Kind.END, id),
    () => encoder.error(Kind.ERROR, id, more & 1, { ...told, metadata }),
    () => encoder.signal(Kind.CANCEL, id),
    () => encoder.credit(flags & 7, length * (more < 200 ? 100 : 0x80_0000), id, channel, more & 1),
    () => encoder.signal(Kind.PING, id),
    () => encoder.signal(Kind.PONG, id),
    () => encoder.signal(Kind.PROTOCOLS, 0, take(length & 63)),
    () => encoder.error(Kind.GO_AWAY, 0, 0, told),
    () => encoder.signal(flags < 16 ? Kind.READY : 32 + flags, id),
    () => flood((n) => ({ kind: Kind.REQUEST, id: id + 2 * n })),
    () => flood(() => ({ kind: Kind.ONEWAY })),
  ][kind]!;
  write();
  return more;
}
