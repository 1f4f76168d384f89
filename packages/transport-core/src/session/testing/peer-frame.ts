// Frames of a misbehaving peer, made from arbitrary bytes: of any kind, with any fields, whether or
// not the protocol allows them.

import type { FrameEncoder } from '../../wire/encoder.ts';
import { Kind } from '../../wire/frame.ts';
import { encodeMetadata } from '../../wire/metadata.ts';
import { writeMessage } from '../../wire/testing/frames.ts';
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
  switch (kind) {
    case 0:
      writeMessage(
        encoder,
        {
          kind: Kind.REQUEST,
          id,
          channel,
          method,
          flags: flags & 7,
          timeout: more,
          metadata,
          size,
        },
        body,
      );
      break;
    case 1:
      writeMessage(encoder, { kind: Kind.ONEWAY, id, channel, method, metadata, size }, body);
      break;
    case 2:
      writeMessage(encoder, { kind: Kind.RESPONSE, id, size }, body);
      break;
    case 3:
      writeMessage(encoder, { kind: Kind.ITEM, id, size }, body);
      break;
    case 4:
      writeMessage(encoder, { kind: Kind.PART, id }, body);
      break;
    case 5:
      encoder.signal(Kind.END, id);
      break;
    case 6:
      encoder.error(id, more & 1, { code: method, reason: flags, text: 'no', metadata });
      break;
    case 7:
      encoder.signal(Kind.CANCEL, id);
      break;
    case 8:
      encoder.credit(flags & 7, length * (more < 200 ? 100 : 0x80_0000), id, channel);
      break;
    case 9:
      encoder.signal(Kind.PING, id);
      break;
    case 10:
      encoder.signal(Kind.PONG, id);
      break;
    case 11:
      encoder.hello(Kind.PROTOCOLS, take(length & 63));
      break;
    case 12:
      encoder.goAway(method, flags, 'bye');
      break;
    case 13:
      encoder.signal(kind === 13 && flags < 16 ? Kind.READY : 32 + flags, id);
      break;
    default:
      // Opens the same call again and again, as a flood does.
      for (let i = 0; i < (more & 31); i++)
        writeMessage(
          encoder,
          kind === 14
            ? { kind: Kind.REQUEST, id: id + 2 * i, channel: 0x20, method }
            : { kind: Kind.ONEWAY, channel: 0x20, method },
          payload.subarray(0, length),
        );
  }
  return more;
}
