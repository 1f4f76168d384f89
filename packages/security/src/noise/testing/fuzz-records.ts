// Fuzzes a secured connection: an input determines the actions of the other end and of the network,
// interleaved with the actions of this end. The bytes handed out must be those that the other end
// wrote, from the beginning and in order, and the connection must end once: with an error, unless
// the other end marked its stream as complete.

import type { Random } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import { make, turn } from './connections.ts';

/**
 * A host for connections that have sent their last handshake message, and a host for connections
 * that have not.
 */
const hosts = [make(), make({ blocked: true })] as const;

/** Each step takes two bytes: the action and its parameter. */
export const target = {
  async run(input: Uint8Array): Promise<void> {
    const { connection, wire, recorder, remoteEnd } = hosts[(input[0] ?? 0) & 1]!.make();
    let written = 0;
    let sent = 0;
    let isTampered = false;
    let isWhole = false;
    let isOver = false;
    let isOurs = false;
    const deliver = (bytes: Uint8Array) => {
      if (!isOver) wire.sink.data(bytes);
    };
    for (let at = 1; at < input.length; at += 2) {
      const [what = 0, how = 0] = [input[at], input[at + 1]];
      switch (what % 12) {
        case 0:
        case 1: {
          const length = 1 + how * 3;
          const record = remoteEnd.record(pattern(sent, length));
          if (!isTampered && !isWhole) sent += length;
          deliver(record);
          break;
        }
        case 2: {
          // The bytes arrive in pieces.
          const record = remoteEnd.record(pattern(sent, 1 + how));
          if (!isTampered && !isWhole) sent += 1 + how;
          const size = 1 + (how % 7);
          for (let from = 0; from < record.length; from += size)
            deliver(record.slice(from, from + size));
          break;
        }
        case 3: {
          const record = remoteEnd.record(pattern(sent, 1 + how));
          record[how % record.length]! ^= 1 << (how & 7);
          isTampered = true;
          deliver(record);
          break;
        }
        case 4: {
          const strange = input.slice(at, at + how);
          isTampered ||= strange.length > 0;
          deliver(strange);
          break;
        }
        case 5:
          isWhole ||= !isTampered;
          deliver(remoteEnd.end());
          break;
        case 6:
          connection.pause();
          break;
        case 7:
          connection.resume();
          break;
        case 8:
          wire.takes = (how & 1) !== 0;
          if (written === 0) connection.write(new Uint8Array(how * 5));
          written++;
          break;
        case 9:
          wire.takes = true;
          wire.sink.drained();
          written = 0;
          break;
        case 10:
          if (how < 30) connection.close();
          else if (how < 40) connection.destroy();
          isOurs ||= how < 40;
          break;
        default:
          await turn();
      }
      if (wire.destroyed !== undefined && !isOver) {
        isOver = true;
        wire.sink.closed(wire.destroyed.error);
      }
    }
    if (!isOver) wire.sink.closed();
    connection.resume();
    await turn();
    check(recorder.chunks, sent);
    if (recorder.ends.length !== 1) throw new Error(`it ended ${recorder.ends.length} times`);
    const [error] = recorder.ends;
    if (error !== undefined && !(error instanceof TransportError))
      throw new Error(`it ended with ${String(error)}`);
    if (error === undefined && !isWhole && !isOurs)
      throw new Error('it ended in order, and the other end never said so');
  },

  *seeds(): Iterable<Uint8Array> {
    yield Uint8Array.of(0, 0, 10, 2, 50, 5, 0, 11, 0);
    yield Uint8Array.of(1, 0, 200, 6, 0, 2, 20, 7, 0, 11, 0, 3, 9, 11, 0);
    yield Uint8Array.of(0, 8, 100, 8, 1, 9, 0, 10, 1, 11, 0, 4, 20, 1, 2, 3);
  },

  make(random: Random): Uint8Array {
    return Uint8Array.from({ length: 1 + 2 * Math.floor(random() * 30) }, () =>
      Math.floor(random() * 256),
    );
  },

  most: 200,
};

/**
 * Returns the bytes that the other end writes from the given offset on; each is determined by its
 * offset.
 */
function pattern(from: number, length: number): Uint8Array {
  const start = from % PERIOD;
  return PATTERN.slice(start, start + length);
}

function check(chunks: readonly Uint8Array[], sent: number): void {
  let place = 0;
  for (const chunk of chunks) {
    if (Buffer.compare(chunk, pattern(place, chunk.length)) !== 0)
      throw new Error(`bytes ${place} to ${place + chunk.length - 1} are not what was sent`);
    place += chunk.length;
  }
  if (place > sent) throw new Error(`${place} bytes were handed out, and ${sent} were sent`);
}

/** The number of bytes after which the pattern repeats. */
const PERIOD = 65_536;
/** Two periods, because a record is never longer than one. */
const PATTERN = Uint8Array.from(
  { length: 2 * PERIOD },
  (_, place) => (place * 31 + (place >>> 8)) & 0xff,
);
