// A single Plumtree machine whose peers are played by a test.

import type { MessageId } from '../../messages/message-id.ts';
import type { Misbehavior } from '../host.ts';
import type { Control, Push } from '../message.ts';
import { type PlumtreeOptionsInput, plumtreeOptions } from '../options.ts';
import { Plumtree } from '../plumtree.ts';

/** The machine, and everything that it did. */
export interface Lone {
  readonly machine: Plumtree<string>;
  /** Returns what was sent since the last call, as 'peer kind ids'. */
  sent(): string[];
  readonly delivered: string[];
  readonly reports: (readonly [peer: string, what: Misbehavior])[];
  readonly dropped: string[];
  /** Peers without room for messages, and those without room for anything. */
  readonly full: Set<string>;
  readonly stuck: Set<string>;
}

/**
 * Creates a machine 'me' with these peers. Payloads are texts, and their digest is their length.
 */
export function lone(peers: readonly string[], options: PlumtreeOptionsInput = {}): Lone {
  let sent: string[] = [];
  const delivered: string[] = [];
  const reports: (readonly [string, Misbehavior])[] = [];
  const dropped: string[] = [];
  const full = new Set<string>();
  const stuck = new Set<string>();
  const machine = new Plumtree<string>({
    self: 'me',
    options: plumtreeOptions(options),
    digest: (payload) => payload.length,
    host: {
      trySend: (to, message) => {
        if (full.has(to)) return false;
        sent.push(`${to} push ${nameOf(message.id)}`);
        return true;
      },
      send: (to, control) => {
        if (stuck.has(to)) return false;
        sent.push(`${to} ${describe(control)}`);
        return true;
      },
      deliver: (message, meta) =>
        delivered.push(`${nameOf(meta.id)} ${message.payload} from ${meta.from} in ${meta.hops}`),
      dropped: (id, from, reason) => dropped.push(`${nameOf(id)} ${from} ${reason}`),
      misbehaved: (peer, what) => reports.push([peer, what]),
    },
  });
  for (const peer of peers) machine.neighborUp(peer, 0);
  const take = () => {
    const taken = sent;
    sent = [];
    return taken;
  };
  return { machine, sent: take, delivered, reports, dropped, full, stuck };
}

export function idOf(sequence: number, origin = 'x', epoch = 1): MessageId {
  return { origin, epoch, sequence };
}

export function pushOf(
  sequence: number,
  { origin = 'x', hops = 1, payload = 'text', size = 4, epoch = 1 } = {},
): Push<string> {
  return { kind: 'push', id: idOf(sequence, origin, epoch), hops, payload, size };
}

export function ihaveOf(sequences: readonly number[], hops = 1, origin = 'x'): Control {
  return {
    kind: 'ihave',
    notices: sequences.map((sequence) => ({ id: idOf(sequence, origin), hops })),
  };
}

export function graftOf(...sequences: number[]): Control {
  return { kind: 'graft', ids: sequences.map((sequence) => idOf(sequence)) };
}

function describe(control: Control): string {
  if (control.kind === 'prune') return 'prune';
  const ids = control.kind === 'ihave' ? control.notices.map(({ id }) => id) : control.ids;
  return [control.kind, ...ids.map(nameOf)].join(' ');
}

function nameOf({ origin, sequence }: MessageId): string {
  return `${origin}${sequence}`;
}
