// Sends long messages in packets, at the pace of the victim's credit.

import type { Enemy } from './enemy.ts';
import { type FrameFields, frame, Kind } from './wire.ts';

/**
 * Sends a message of several packets, and waits for credit as the protocol demands. Stops early if
 * an ERROR comes or the connection ends.
 * @param size the announced length. Default: that of `payload`; a larger one leaves the message
 * unfinished.
 */
export async function pushLong(
  enemy: Enemy,
  fields: FrameFields & { readonly id: number },
  payload: Uint8Array,
  size = payload.length,
): Promise<void> {
  const errors = enemy.answers.size;
  for (let at = 0; at < payload.length; at += PACKET) {
    await enemy.until(() => enemy.pipe > 0 || enemy.answers.size > errors);
    if (enemy.isOver || enemy.answers.size > errors) return;
    const packet = payload.subarray(at, at + PACKET);
    enemy.pipe -= packet.length + 64;
    await enemy.push(
      at === 0
        ? frame({ ...fields, size, payload: packet })
        : frame({ kind: Kind.part, id: fields.id, payload: packet }),
    );
  }
}

/** The packet size in bytes on which both ends agree by default. */
export const PACKET = 65_536;
