// Fuzzes the messages that gossip reads from peers. An input is a series of frames, each from one
// of four peers. Checks that the decoders accept any bytes, that decoded values can be encoded
// again, and that a node's overlay stays within its bounds and delivers no message twice.

import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { type Random, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import { decodeList, readQuestion, recognizerOf } from '../discovery/tags.ts';
import { learnAddresses } from '../driver/addresses.ts';
import { memberLimits } from '../driver/members.ts';
import { peersOf, tidyMessage } from '../hyparview/message.ts';
import { partialViewConfig } from '../hyparview/options.ts';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { OverlayInput, OverlaySetup } from '../overlay/overlay.ts';
import { partialView, TreeOverlay } from '../overlay/partial-view.ts';
import type { Control } from '../plumtree/message.ts';
import { plumtreeOptions } from '../plumtree/options.ts';
import { gossipProtocol } from '../protocol.ts';
import * as wire from '../wire/frame.ts';

/**
 * The kinds of frames, in the order of their numbers. The lower half of a frame's first byte
 * selects one.
 */
const KINDS = [
  'push',
  'control',
  'view',
  'receipt',
  'head',
  'report',
  'list',
  'question',
  'wait',
] as const;
type Kind = (typeof KINDS)[number];
/** The types of messages between partial views. */
const VIEWS = [
  ...['join', 'neighbor', 'accept', 'refuse'],
  ...['forward-join', 'shuffle', 'shuffle-reply', 'disconnect'],
];
const PEERS = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64));
const SELF = '5'.repeat(64);
const between = { teller: PEERS[0]!, hearer: SELF };
const tree = { origins: 8, gaps: 8, cacheMessages: 8, outstanding: 8, backlog: 8, notices: 64 };
const options = { ...plumtreeOptions(), ...tree };
const config = partialViewConfig();
const { memory } = partialView({ tree: { origins: tree.origins } });
const codec = gossipProtocol.methods.view.request;

export const target = {
  run(input: Uint8Array): void {
    const node = new Node();
    for (const { kind, peer, bytes } of frames(input))
      node.take(KINDS[kind % KINDS.length]!, PEERS[peer % PEERS.length]!, bytes);
    node.check();
  },

  *seeds(): Iterable<Uint8Array> {
    const random = seededRandom(1);
    for (const kind of KINDS) yield frame(KINDS.indexOf(kind), 0, randomFrame(kind, random));
    yield concatBytes(joins(), frame(0, 0, randomFrame('push', random)));
  },

  make(random: Random): Uint8Array {
    const parts = [joins()];
    for (let i = Math.floor(random() * 6); i >= 0; i--) {
      const kind = Math.floor(random() ** 2 * KINDS.length);
      const peer = Math.floor(random() * PEERS.length);
      parts.push(frame(kind, peer, randomFrame(KINDS[kind]!, random)));
    }
    return concatBytes(...parts);
  },

  tokens: [
    ...['"type":"', ...VIEWS, 'request', '"peers":[', '"ttl":', '__proto__', PEERS[1]!, SELF],
    ...['null', '-1', '1e308'],
  ],
  most: 4_096,
};

/** A node on one topic, with peers that the input plays. */
class Node {
  readonly #random = seededRandom(7);
  readonly #delivered = new Set<string>();
  readonly #overlay;
  readonly #seen = new SeenMessages({ ...memory, gaps: tree.gaps });
  readonly #addresses = memberLimits().addresses;
  #now = 0;

  constructor() {
    const setup: OverlaySetup = {
      isSource: false,
      isDistrusted: () => false,
      self: SELF,
      random: this.#random,
      now: 0,
      look: (id, now) => this.#seen.look(id, now),
    };
    this.#overlay = new TreeOverlay(setup, config, options);
    for (const peer of PEERS) this.#feed({ type: 'peer-up', peer, isChosen: true });
  }

  take(kind: Kind, from: string, bytes: Uint8Array): void {
    switch (kind) {
      case 'push':
        return this.#push(from, bytes);
      case 'control': {
        const control = wire.decodeControl(bytes)?.control;
        if (control === undefined) return;
        same(wire.encodeControl(bytes.subarray(1, 33), control), bytes, kind);
        return this.#feed({ type: 'received', from, message: control });
      }
      case 'view':
        return this.#view(from, bytes);
      case 'receipt': {
        const receipt = wire.decodeReceipt(bytes);
        const isPlain = receipt !== undefined && bytes.length === 76;
        return isPlain ? same(wire.encodeReceipt(receipt), bytes, kind) : undefined;
      }
      case 'head': {
        const head = wire.decodeHead(bytes);
        return head && same(wire.encodeHead(head), bytes, kind);
      }
      case 'report': {
        const report = wire.decodeReport(bytes);
        return report && same(wire.encodeReport(report), bytes, kind);
      }
      case 'list': {
        const list = decodeList(bytes.subarray(0, 16), bytes.subarray(16));
        if (list?.kept !== undefined) recognizerOf(between, list.kept)(bytes.subarray(0, 32));
        return;
      }
      case 'question':
        readQuestion(between, bytes)?.(bytes.subarray(0, 32));
        return;
      case 'wait':
        this.#now += (bytes[0] ?? 0) * 100;
        this.#seen.expire(this.#now);
        for (let turns = 0; this.#overlay.wakeAt <= this.#now; turns++) {
          this.#feed({ type: 'wake' });
          if (turns > 1_000) throw new Error('the overlay is due again and again');
        }
    }
  }

  check(): void {
    const { tree, active, passive } = this.#overlay.snapshot() as {
      tree: Record<string, any>;
      active: string[];
      passive: string[];
    };
    if (this.#seen.size.origins > 8) throw new Error(`origins: ${this.#seen.size.origins}`);
    for (const name of ['missing', 'pendingGrafts'])
      if (!(tree[name] <= 8 * PEERS.length)) throw new Error(`${name}: ${tree[name]}`);
    if (tree['cached'].messages > 8 || active.length > 5 || passive.length > 30)
      throw new Error('too many are kept');
    if (active.includes(SELF) || passive.includes(SELF)) throw new Error('it is its own peer');
    if (!Number.isFinite(this.#overlay.wakeAt)) throw new Error('it is never due again');
  }

  #push(from: string, bytes: Uint8Array): void {
    const envelope = wire.decodePush(bytes);
    if (envelope === undefined) return;
    const { id, hops, payload } = envelope;
    const push = { kind: 'push' as const, id, hops, payload: envelope, size: payload.length };
    // The flag for a receipt is only encoded for this node's own messages.
    same(wire.encodePush(bytes.subarray(1, 33), push), bytes, 'push', 0x40);
    envelope.frame = undefined;
    if (!this.#overlay.takesFrom(from, id.origin))
      return this.#feed({ type: 'reject', peer: from });
    const verdict = id.origin === SELF ? 'old' : this.#seen.note(id, this.#now, from);
    if (verdict === 'seen') return this.#feed({ type: 'repeated', from, id });
    if (verdict !== 'new') {
      const mayCome =
        (verdict === 'full' || verdict === 'flood') && this.#seen.look(id, this.#now) === 'new';
      return this.#feed({ type: 'dropped', from, id, mayCome });
    }
    this.#feed({ type: 'arrived', from, id });
    this.#feed({ type: 'received', from, message: push });
    const key = messageKey(id);
    if (this.#delivered.has(key) && this.#now < 90_000)
      throw new Error(`${key} was delivered twice`);
    this.#delivered.add(key);
  }

  #view(from: string, bytes: Uint8Array): void {
    let view: { readonly message: unknown; readonly addresses?: unknown };
    try {
      view = codec.decode(bytes);
    } catch (error) {
      if (error instanceof TransportError) return;
      throw error;
    }
    learnAddresses(view.addresses, from, { learn: () => true }, this.#addresses, this.#now);
    const tidy = tidyMessage(view.message, SELF, config);
    const named = tidy === undefined ? [] : peersOf(tidy);
    if (named.some((peer) => peer === SELF || peer.length > 128))
      throw new Error(`it names ${named.join(', ')}`);
    if (tidy !== undefined && 'ttl' in tidy && tidy.ttl > 6)
      throw new Error(`its walk has ${tidy.ttl} hops`);
    const again = tidyMessage(tidy, SELF, config);
    if (JSON.stringify(again) !== JSON.stringify(tidy))
      throw new Error(`it is not tidy yet: ${JSON.stringify(tidy)}`);
    this.#feed({ type: 'viewed', from, message: view.message });
  }

  #feed(input: OverlayInput): void {
    this.#overlay.handle(this.#now, input);
    for (let output = this.#overlay.poll(); output !== undefined; output = this.#overlay.poll()) {
      if (output.type !== 'push' && output.type !== 'send-control') continue;
      if (this.#random() < 0.1) this.#overlay.handle(this.#now, { type: 'no-room', output });
    }
  }
}

/**
 * Yields the frames of an input. Three bytes precede each frame: one for its kind and peer, and two
 * for its length.
 */
function* frames(
  input: Uint8Array,
): Iterable<{ readonly kind: number; readonly peer: number; readonly bytes: Uint8Array }> {
  for (let at = 0; at + 3 <= input.length; ) {
    const end = at + 3 + input[at + 1]! * 256 + input[at + 2]!;
    yield { kind: input[at]! & 0x0f, peer: input[at]! >> 4, bytes: input.slice(at + 3, end) };
    at = end;
  }
}

function frame(kind: number, peer: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([kind | (peer << 4), bytes.length >> 8, bytes.length & 0xff, ...bytes]);
}

/** Encodes requests of all peers to become neighbors. */
function joins(): Uint8Array {
  const join = view({ type: 'join', request: 1 });
  return concatBytes(...PEERS.map((_, peer) => frame(KINDS.indexOf('view'), peer, join)));
}

function view(message: unknown): Uint8Array {
  return codec.encode({ topic: '0'.repeat(64), message });
}

function randomFrame(kind: Kind, random: Random): Uint8Array {
  const below = (limit: number) => Math.floor(random() * limit);
  const coin = () => random() < 0.5;
  const many = <T>(make: () => T) => Array.from({ length: below(5) }, make);
  const name = () => [...PEERS, SELF, '9'.repeat(64)][below(6)]!;
  const ids = (): MessageId => ({
    origin: name(),
    epoch: [1, 2, 3, 1_000, 1_001, 2 ** 48 - 1][below(6)]!,
    sequence: [0, 1, 2, 3, 5, 9, 2 ** 48 - 1][below(7)]!,
  });
  const key = new Uint8Array(32);
  const [topic, id, hops] = [bytesToHex(key), ids(), below(9)];
  switch (kind) {
    case 'push': {
      const audience = (['all', 'all', 'to', 'except'] as const)[below(4)]!;
      const nodes = audience === 'all' ? [] : many(name);
      const payload = new Uint8Array(below(3)).fill(below(3));
      const signed = { publicKey: new Uint8Array(44), bytes: new Uint8Array(64) };
      const signature = random() < 0.3 ? signed : undefined;
      const body = { audience, nodes, payload, message: undefined, signature };
      return wire.encodePush(key, { kind: 'push', id, hops, payload: body, size: payload.length });
    }
    case 'control': {
      const controls: Control[] = [
        { kind: 'ihave', notices: many(() => ({ id: ids(), hops: below(9) })) },
        { kind: 'graft', ids: many(ids) },
        { kind: 'absent', ids: many(ids) },
        { kind: 'prune' },
        { kind: 'attach' },
      ];
      return wire.encodeControl(key, controls[below(5)]!);
    }
    case 'view': {
      const flags = { high: coin(), full: coin(), alive: coin() };
      const names = { free: name(), peer: name(), origin: name(), peers: many(name) };
      const numbers = { request: below(3), id: below(3), ttl: below(300) };
      return view({ ...flags, ...names, ...numbers, type: VIEWS[below(8)] });
    }
    case 'receipt':
      return wire.encodeReceipt({ topic, id, ...(coin() ? {} : { verdict: 'took' }) });
    case 'head':
      return wire.encodeHead({ topic, id, hops, size: below(9_999), rest: many(name) });
    case 'report':
      return wire.encodeReport({ outcome: 'took', missed: many(name) });
    default:
      return randomBytes(random, below(60));
  }
}

function same(written: Uint8Array, read: Uint8Array, kind: Kind, mask = 0): void {
  const isSame =
    written.length === read.length &&
    written.every((byte, at) => byte === (at === 0 ? read[at]! & ~mask : read[at]));
  if (!isSame)
    throw new Error(`a ${kind} is written as ${bytesToHex(written)}, not as ${bytesToHex(read)}`);
}
