// Incoming items, at either end of a call: short ones, and long ones packet by packet.

import { type Frame, Kind } from '../wire/frame.ts';
import { Assembly, type AssemblyOwner } from './assembly.ts';
import type { InStream } from './in-stream.ts';
import { type IncomingPackets, longCost } from './incoming-packets.ts';
import type { SessionContext } from './session-context.ts';

/**
 * Handles an ITEM: a short one, or the first packet of a long one.
 * @param drop true if its reader is gone.
 * @param owner notified if a long item is given up.
 */
export function receiveItem(
  context: SessionContext,
  incomingPackets: IncomingPackets,
  stream: InStream,
  frame: Frame,
  drop: boolean,
  owner: AssemblyOwner,
): void {
  if (stream.assembly !== undefined)
    return context.violation('malformed', `ITEM of call ${frame.id} in the middle of another item`);
  const cost = longCost(frame);
  if (frame.size === 0) {
    if (!incomingPackets.short(frame)) return;
    if (frame.length > context.limits.item)
      return context.violation(
        'too_large',
        `an item of ${frame.length} bytes is above our limits.item, ${context.limits.item}`,
      );
    if (!stream.account.spend(cost))
      return context.violation(
        'malformed',
        `an item of call ${frame.id} arrived without credit of its stream`,
      );
    if (!incomingPackets.packet(frame)) return;
    if (drop) stream.account.giveBack(cost, false);
    else stream.push(incomingPackets.keep(frame), cost);
  } else if (incomingPackets.long(frame, context.limits.item, 'limits.item', stream.account)) {
    stream.assembly = new Assembly(
      context,
      Kind.ITEM,
      frame.size,
      cost,
      frame.payload,
      !drop,
      owner,
    );
    context.makeRoom();
  }
}

/** Handles a further packet of a stream's long item. */
export function receivePart(context: SessionContext, stream: InStream, frame: Frame): void {
  const assembly = stream.assembly!;
  if (!assembly.add(frame.payload))
    return context.violation(
      'malformed',
      `the packets of an item of call ${frame.id} do not match its declared size`,
    );
  if (!assembly.complete) return context.makeRoom();
  stream.dropAssembly();
  if (assembly.buffer.length === assembly.size) stream.push(assembly.buffer, assembly.cost);
  else stream.account.giveBack(assembly.cost, false);
}
