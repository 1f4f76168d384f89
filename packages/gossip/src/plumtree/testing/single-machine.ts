// A single Plumtree machine whose peers are played by a test.

import { type MessageId, messageKey } from '../../messages/message-id.ts';
import type { Control, Misbehavior, PlumtreeInput, Push } from '../message.ts';
import { type PlumtreeOptions, plumtreeOptions } from '../options.ts';
import { Plumtree } from '../plumtree.ts';
import { Receiver } from './receiver.ts';

/**
 * Creates a machine 'me' with these peers, and records everything that it does. It gathers notices
 * for 5 ms, as iroh-gossip does. Payloads are texts. The `lazy` peers have pruned their links, so
 * that they are not part of the tree.
 */
export function singleMachine(
  peers: readonly string[],
  { lazy = [], ...options }: Partial<PlumtreeOptions> & { readonly lazy?: readonly string[] } = {},
) {
  const sent: string[] = [];
  const delivered: string[] = [];
  const reports: (readonly [string, Misbehavior])[] = [];
  const dropped: string[] = [];
  /** Peers without room for messages, and peers without room for anything. */
  const full = new Set<string>();
  const stuck = new Set<string>();
  const config = { ...plumtreeOptions({ noticeDelay: 5 }), ...options };
  const receiver = new Receiver('me', config);
  const machine = new Plumtree<string>({ self: 'me', options: config, look: receiver.look });
  /** Gives the machine an input, and records its outputs. */
  const feed = (now: number, input: PlumtreeInput<string>) => {
    const before = machine.counters.delivered;
    const drop = (id: MessageId, from: string, reason: string) =>
      dropped.push(`${nameOf(id)} ${from} ${reason}`);
    machine.handle(now, receiver.take(input, now, drop));
    if (machine.counters.delivered > before && input.type === 'received') {
      const { id, payload, hops } = input.message as Push<string>;
      delivered.push(`${nameOf(id)} ${payload} from ${input.from} in ${hops}`);
    }
    const poll = () => machine.poll() ?? machine.pollOwed();
    for (let output = poll(); output !== undefined; output = poll()) {
      if (output.type === 'push') {
        if (full.has(output.to)) machine.handle(now, { type: 'no-room', output });
        else sent.push(`${output.to} push ${nameOf(output.push.id)}`);
      } else if (output.type === 'send-control') {
        if (stuck.has(output.to)) machine.handle(now, { type: 'no-room', output });
        else sent.push(`${output.to} ${describe(output.control)}`);
      } else if (output.type === 'misbehaved') {
        reports.push([output.peer, output.what]);
      }
    }
  };
  for (const peer of peers) feed(0, { type: 'neighbor-up', peer });
  for (const from of lazy) feed(0, { type: 'received', from, message: { kind: 'prune' } });
  /** Lets the topic refuse a message that a peer sent. */
  const refuse = (from: string, id: MessageId) => {
    feed(0, { type: 'arrived', from, id });
    receiver.refused.add(messageKey(id));
    feed(0, { type: 'dropped', from, id, mayCome: false });
  };
  /** Returns the messages sent since the last call, as 'peer kind ids'. */
  const take = () => sent.splice(0);
  /** Wakes the machine whenever it is due, up to that time. */
  const runOut = (until: number) => {
    for (let now = machine.wakeAt; now <= until; now = machine.wakeAt) feed(now, { type: 'wake' });
  };
  return { machine, feed, refuse, runOut, sent: take, delivered, reports, dropped, full, stuck };
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
  if (control.kind === 'prune' || control.kind === 'attach') return control.kind;
  const ids = control.kind === 'ihave' ? control.notices.map(({ id }) => id) : control.ids;
  return [control.kind, ...ids.map(nameOf)].join(' ');
}

function nameOf({ origin, sequence }: MessageId): string {
  return `${origin}${sequence}`;
}
