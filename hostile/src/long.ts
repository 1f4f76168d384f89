// Sends long messages in packets, at the pace of the victim's credit.

import type { AttackerConnection } from './attacker-connection.ts';
import { type FrameFields, frame, Kind } from './wire.ts';

/**
 * Sends a message of several packets, and waits for credit as the protocol demands. Stops early if
 * an ERROR comes or the connection ends.
 * @param size the announced length. Default: that of `payload`; a larger one leaves the message
 * unfinished.
 */
export async function pushLong(
  attacker: AttackerConnection,
  fields: FrameFields & { readonly id: number },
  payload: Uint8Array,
  size = payload.length,
): Promise<void> {
  const errors = attacker.count(Kind.error);
  const isRefused = () => attacker.count(Kind.error) > errors;
  for (let at = 0; at < payload.length; at += PACKET) {
    await attacker.until(() => attacker.pipe > 0 || isRefused());
    if (attacker.isOver || isRefused()) return;
    const packet = payload.subarray(at, at + PACKET);
    attacker.pipe -= packet.length + 64;
    await attacker.push(
      at === 0
        ? frame({ ...fields, size, payload: packet })
        : frame({ kind: Kind.part, id: fields.id, payload: packet }),
    );
  }
}

/** The packet size in bytes on which both ends agree by default. */
export const PACKET = 65_536;
