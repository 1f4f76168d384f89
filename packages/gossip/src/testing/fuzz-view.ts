// Fuzzes a partial view. Checks that it accepts any messages in any order, keeps its lists within
// their bounds, and reports each change of its neighbors.

import type { Random } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { PartialViewInput, PartialViewMessage } from '../hyparview/message.ts';
import { partialViewConfig } from '../hyparview/options.ts';
import { PartialView } from '../hyparview/partial-view.ts';

export const target = {
  run: converse,

  *seeds(): Iterable<Uint8Array> {
    yield Uint8Array.of(0, 1, 5, 1, 2, 9, 8, 0, 10, 2, 3, 4, 9, 0, 1);
  },

  make(random: Random): Uint8Array {
    return randomBytes(random, 3 * Math.floor(random() * 80));
  },

  // 255 steps; longer inputs took several times as long and reached hardly any other branches.
  most: 765,
};

/** Plays a series of steps of three bytes each: the kind of step, the peer, and the details. */
function converse(bytes: Uint8Array): void {
  let now = 0;
  const up = new Set<string>();
  const view = new PartialView({
    self: 'me',
    random: seededRandom(bytes.length),
    now,
    isDistrusted: () => false,
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
    const peers = NAMES.slice(how & 31, (how & 31) + (which >>> 4));
    const kind = what % (SAID.length + INPUTS.length + 1);
    const message = SAID[kind]?.(how, other, peers);
    const input = INPUTS[kind - SAID.length]?.(peer, peers);
    if (message !== undefined) tell({ type: 'received', from: peer, message });
    else if (input !== undefined) tell(input);
    else {
      now += how * how;
      if (view.wakeAt <= now) tell({ type: 'wake' });
    }
    check(view, up);
  }
}

/** The first kinds of steps: messages of a peer. */
const SAID: readonly ((
  how: number,
  other: string,
  peers: readonly string[],
) => PartialViewMessage)[] = [
  (how) => ({ type: 'join', request: how }),
  (how, other) => ({ type: 'forward-join', peer: other, ttl: how }),
  (how) => ({ type: 'neighbor', request: how, high: (how & 1) === 1, full: (how & 2) === 2 }),
  (how, other) => ({ type: 'accept', request: how, free: other }),
  (how, _, peers) => ({ type: 'refuse', request: how, free: undefined, peers }),
  (how, other, peers) => ({ type: 'shuffle', origin: other, id: how, ttl: how, peers }),
  (how, _, peers) => ({ type: 'shuffle-reply', id: how, peers }),
  (how, other, peers) => ({ type: 'disconnect', alive: (how & 1) === 1, free: other, peers }),
];

/** The next kinds: other inputs. In a step of the last kind, time passes. */
const INPUTS: readonly ((peer: string, peers: readonly string[]) => PartialViewInput)[] = [
  (peer) => ({ type: 'lost', peer, error: undefined }),
  (_, peers) => ({ type: 'found', nodes: peers, isChosen: true }),
  (_, peers) => ({ type: 'join', contacts: peers }),
  (peer) => ({ type: 'reject', peer }),
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
