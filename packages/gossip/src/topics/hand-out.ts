// Hands a message to several readers, or to one reader with another codec. No reader sees changes
// that another reader makes to the message.

import type { Body } from '../overlay/body.ts';
import type { MessageMeta } from '../types.ts';
import type { TopicReader } from './reader.ts';

/**
 * Gives each reader a separate message, which is decoded again if it could be changed. If a
 * reader's codec refuses it, `failed` is called.
 * @param codec the codec that decoded `body.message`
 */
export function handOut(
  readers: readonly TopicReader[],
  codec: TopicReader['codec'],
  body: Body,
  meta: MessageMeta,
  failed: (error: unknown) => void,
): void {
  const isPlain = !isChangeable(body.message);
  let isTaken = false;
  // Decode before the first reader runs, because a decoded message may lie in the payload's memory.
  const messages = readers.map((reader) => {
    const isShared = reader.codec === codec;
    if (isShared && (isPlain || !isTaken)) {
      isTaken = true;
      return body;
    }
    try {
      return { message: reader.codec.decode(body.payload.slice()) };
    } catch (error) {
      failed(error);
      return undefined;
    }
  });
  for (const [i, reader] of readers.entries()) {
    const given = messages[i];
    if (given !== undefined) reader.offer(given.message, { ...meta }, body.payload.length);
  }
}

function isChangeable(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
