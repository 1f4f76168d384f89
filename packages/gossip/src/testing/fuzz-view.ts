// Fuzzes the messages that HyParView's nodes exchange. Checks that any JSON is either decoded or
// rejected, and that a partial view accepts any messages in any order and keeps its lists within
// their bounds.

import { type Random, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import {
  type PartialViewInput,
  type PartialViewMessage,
  peersOf,
  tidyMessage,
} from '../hyparview/message.ts';
import { partialViewConfig } from '../hyparview/options.ts';
import { PartialView } from '../hyparview/partial-view.ts';
import { gossipProtocol } from '../protocol.ts';

/**
 * The first byte determines whether the rest is JSON, as the method `view` carries it, or a series
 * of steps.
 */
export const target = {
  run(input: Uint8Array): void {
    if ((input[0] ?? 0) < 128) read(input.subarray(1));
    else converse(input.subarray(1));
  },

  *seeds(): Iterable<Uint8Array> {
    for (const message of MESSAGES)
      yield Uint8Array.of(0, ...encoder.encode(JSON.stringify({ topic: 'ab', message, life: 3 })));
    yield Uint8Array.of(128, 0, 1, 5, 1, 2, 9, 8, 0, 10, 2, 3, 4, 9, 0, 1);
  },

  make(random: Random): Uint8Array {
    return Uint8Array.of(128, ...randomBytes(random, 3 * Math.floor(random() * 80)));
  },

  tokens: [
    ...['"type":"', 'join', 'forward-join', 'neighbor', 'accept', 'refuse', 'shuffle'],
    ...['shuffle-reply', 'disconnect', '"ttl":', '"peers":[', '"me"', 'null', '-1', '1e308'],
  ],

  // 255 steps; longer inputs took several times as long and reached hardly any other branches.
  most: 768,
};

function read(bytes: Uint8Array): void {
  let value: { message?: unknown };
  try {
    value = gossipProtocol.methods.view.request.decode(bytes);
  } catch (error) {
    if (error instanceof TransportError) return;
    throw error;
  }
  const config = partialViewConfig();
  const message = tidyMessage(value.message, 'me', config);
  if (message === undefined) return;
  if (peersOf(message).some((peer) => peer === 'me' || peer.length > 128))
    throw new Error(`it names ${peersOf(message).join(', ')}`);
  if ('ttl' in message && message.ttl > 6) throw new Error(`its walk has ${message.ttl} hops`);
  const again = tidyMessage(message, 'me', config);
  if (JSON.stringify(again) !== JSON.stringify(message))
    throw new Error(`tidied twice it is ${JSON.stringify(again)}`);
}

/** Plays a series of steps of three bytes each: the kind of step, the peer, and the details. */
function converse(bytes: Uint8Array): void {
  let now = 0;
  const up = new Set<string>();
  const view = new PartialView({
    self: 'me',
    random: seededRandom(bytes.length),
    now,
    config: partialViewConfig({ active: 3, passive: 6 }),
  });
  const tell = (input: PartialViewInput) => {
    view.handle(now, input);
    for (let output = view.poll(); output !== undefined; output = view.poll()) {
      if (output.type === 'neighbor-up') up.add(output.peer);
      else if (output.type === 'neighbor-down') up.delete(output.peer);
    }
  };
  for (let at = 0; at + 2 < bytes.length; at += 3) {
    const [what, which, how] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
    const peer = NAMES[which & 15]!;
    const other = how === 255 ? 'me' : NAMES[how & 15]!;
    const step = { peer, other, peers: NAMES.slice(how & 31, (how & 31) + (which >>> 4)), how };
    const kind = what % (SAID.length + INPUTS.length + 1);
    const message = SAID[kind]?.(step);
    const input = INPUTS[kind - SAID.length]?.(step);
    if (message !== undefined) tell({ type: 'received', from: peer, message });
    else if (input !== undefined) tell(input);
    else {
      now += how * how;
      if (view.wakeAt <= now) tell({ type: 'wake' });
    }
    check(view, up);
  }
}

/** The details of a step. */
interface Step {
  readonly peer: string;
  readonly other: string;
  readonly peers: readonly string[];
  readonly how: number;
}

/** The first kinds of steps: messages of a peer. */
const SAID: readonly ((step: Step) => PartialViewMessage)[] = [
  ({ how }) => ({ type: 'join', request: how }),
  ({ how, other }) => ({ type: 'forward-join', peer: other, ttl: how }),
  ({ how }) => ({ type: 'neighbor', request: how, high: (how & 1) === 1, full: (how & 2) === 2 }),
  ({ how, other }) => ({ type: 'accept', request: how, free: other }),
  ({ how, peers }) => ({ type: 'refuse', request: how, free: undefined, peers }),
  ({ how, other, peers }) => ({ type: 'shuffle', origin: other, id: how, ttl: how, peers }),
  ({ how, peers }) => ({ type: 'shuffle-reply', id: how, peers }),
  ({ how, other, peers }) => ({ type: 'disconnect', alive: (how & 1) === 1, free: other, peers }),
];

/** The next kinds: other inputs. In a step of the last kind, time passes. */
const INPUTS: readonly ((step: Step) => PartialViewInput)[] = [
  ({ peer }) => ({ type: 'lost', peer, error: undefined }),
  ({ peers }) => ({ type: 'found', nodes: peers, isChosen: true }),
  ({ peers }) => ({ type: 'join', contacts: peers }),
  ({ peer }) => ({ type: 'reject', peer }),
];

function check(view: PartialView, up: ReadonlySet<string>): void {
  const [active, passive] = [view.active(), view.passive()];
  if (active.length > 3 || passive.length > 6)
    throw new Error(`it holds ${active.length} links and ${passive.length} peers`);
  const held = [...active, ...passive];
  if (held.includes('me')) throw new Error('it holds itself');
  // Few peers are held, so searching the list takes less time than making a set after each step.
  if (held.some((peer, at) => held.indexOf(peer) !== at)) throw new Error('it holds a peer twice');
  if (active.length !== up.size || active.some((peer) => !up.has(peer)))
    throw new Error(`it holds ${active.join(', ')} and told ${[...up].join(', ')}`);
}

/** The names of 32 peers, and the first ones again, so that a list may begin at any of them. */
const NAMES: readonly string[] = Array.from({ length: 47 }, (_, i) => `p${i & 31}`);
const MESSAGES: readonly PartialViewMessage[] = [
  { type: 'join', request: 1 },
  { type: 'forward-join', peer: 'p1', ttl: 6 },
  { type: 'neighbor', request: 1, high: true, full: false },
  { type: 'accept', request: 1, free: 'p2' },
  { type: 'refuse', request: 1, free: undefined, peers: ['p3'] },
  { type: 'shuffle', origin: 'p1', id: 1, ttl: 3, peers: ['p2', 'p3'] },
  { type: 'shuffle-reply', id: 1, peers: ['p2'] },
  { type: 'disconnect', alive: true, free: 'p1', peers: [] },
];
const encoder = new TextEncoder();
