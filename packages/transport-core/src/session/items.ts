// Incoming items, at either end of a call: short ones, and long ones packet by packet.

import { type Frame, Kind } from '../wire/frame.ts';
import { Assembly, type Owner } from './assembly.ts';
import type { InStream } from './in-stream.ts';
import { type Inflow, longCost } from './inflow.ts';
import type { Link } from './link.ts';

/**
 * Handles an ITEM: a short one, or the first packet of a long one.
 * @param drop true if its reader is gone.
 * @param owner notified if a long item is given up.
 */
export function receiveItem(link: Link, inflow: Inflow, stream: InStream, frame: Frame, drop: boolean, owner: Owner): void {
  if (stream.assembly !== undefined) return link.violation('malformed', `ITEM of call ${frame.id} in the middle of another`);
  const cost = longCost(frame);
  if (frame.size === 0) {
    if (!inflow.short(frame)) return;
    if (frame.length > link.limits.item) return link.violation('too_large', `an item of ${frame.length} bytes is above our limits.item, ${link.limits.item}`);
    if (!stream.account.spend(cost)) return link.violation('malformed', `an item of call ${frame.id} came without credit of its stream`);
    if (!inflow.packet(frame)) return;
    if (drop) stream.account.giveBack(cost, false);
    else stream.push(inflow.keep(frame), cost);
  } else if (inflow.long(frame, link.limits.item, 'limits.item', stream.account)) {
    stream.assembly = new Assembly(link, Kind.ITEM, frame.size, cost, frame.payload, !drop, owner);
    link.makeRoom();
  }
}

/** Handles a further packet of a stream's long item. */
export function receivePart(link: Link, stream: InStream, frame: Frame): void {
  const assembly = stream.assembly!;
  if (!assembly.add(frame.payload)) return link.violation('malformed', `the packets of an item of call ${frame.id} break its sum`);
  if (!assembly.complete) return link.makeRoom();
  stream.dropAssembly();
  if (assembly.buffer.length === assembly.size) stream.push(assembly.buffer, assembly.cost);
  else stream.account.giveBack(assembly.cost, false);
}
