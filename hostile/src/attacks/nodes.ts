// Attacks on a victim that runs peers and gossip, by an attacker that claims (or proves) a node id
// of its own.

import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attack, type AttackRun, BANNED } from '../attack.ts';
import type { AttackerConnection } from '../attacker-connection.ts';
import { pushLong } from '../long.ts';
import { GOSSIP, joinTopic } from '../topic-member.ts';
import { concat, frame, Kind, repeat, text } from '../wire.ts';

const MIB = 1024 * 1024;
const PEERS = 1;
const victim = { nodes: true };
const carriers = ['tcp', 'tls', 'ws', 'wss', 'noise'] as const;

const NEW_ENTRIES = {
  milliseconds: 40,
  reason:
    'each publisher or message that is new takes up to 2 KiB, which V8 copies in pauses of 5 to 10 ms before it keeps them',
};

export const nodes: readonly Attack[] = [
  {
    name: 'addresses-unasked',
    title: 'sends addresses that were not requested',
    cases: [112],
    carriers,
    victim,
    answer: /^GO_AWAY 8\/13$/,
    // If the victim has just asked the attacker, two lists may be answers, and the next three are
    // taken for repetitions.
    run: (run) =>
      onEachConnection(run, () => repeat(oneway(PEERS, 2, text('{"addresses":[]}')), 6)),
  },
  {
    name: 'addresses-long',
    title: 'sends 60 MiB of addresses that were not requested',
    cases: [112],
    carriers,
    victim,
    // The victim drops it from the first packet on; memory grows only by the socket's garbage.
    memory: 32 * MIB,
    isHeavy: true,
    answer: /^(nothing|GO_AWAY 8\/1[34])$/,
    async run(run) {
      const attacker = await asNode(run);
      const entry = text('{"nodeId":"","address":"10.0.0.1:1"},');
      const payload = repeat(entry, Math.floor((60 * MIB) / entry.length));
      await Promise.race([
        pushLong(attacker, { kind: Kind.oneway, id: 1, channel: PEERS, method: 2 }, payload),
        attacker.over(),
      ]);
      return outcomeOf(attacker);
    },
  },
  {
    name: 'addresses-asked-often',
    title: 'requests addresses again and again',
    cases: [112],
    carriers,
    victim,
    answer: /^GO_AWAY 8\/13$/,
    run: (run) => onEachConnection(run, () => repeat(oneway(PEERS, 1, new Uint8Array(0)), 20)),
  },
  {
    name: 'status-flood',
    title: 'changes its status as fast as its credit allows',
    cases: [49],
    carriers,
    victim,
    rounds: 50,
    memory: 16 * MIB,
    answer: /^(nothing|GO_AWAY 8\/13)$/,
    run: (run) => spending(run, PEERS, (round) => oneway(PEERS, 3, text(`{"seq":${round}}`)), 200),
  },
  {
    name: 'gossip-forged-origins',
    title: 'publishes unsigned messages of 20,000 nodes that do not exist',
    cases: [94, 110],
    carriers,
    victim,
    rounds: 100,
    // All peers together introduce at most 12,288 origins; each takes at most 2 KiB with its
    // message and gaps.
    memory: 12_288 * 2 * 1_024,
    bound: NEW_ENTRIES,
    answer: /^(GO_AWAY.*|cut)$/,
    run: (run) => spending(run, GOSSIP, () => push(randomBytes(32), 1, 1), 200),
  },
  {
    name: 'gossip-late-life',
    title: 'publishes unsigned messages with lives of 2^48 - 1',
    cases: [94],
    carriers,
    victim,
    rounds: 10,
    memory: 32 * MIB,
    bound: NEW_ENTRIES,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) =>
      spending(run, GOSSIP, (round) => push(Buffer.alloc(32, round), 0xffff_ffff_ffff, round), 50),
  },
  {
    name: 'gossip-malformed',
    title: 'publishes random bytes',
    cases: [94],
    carriers,
    victim,
    rounds: 20,
    memory: 16 * MIB,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) => spending(run, GOSSIP, () => oneway(GOSSIP, 1, randomBytes(120)), 100),
  },
  {
    name: 'gossip-graft-flood',
    title: 'grafts unknown topics and asks for messages that were never published',
    cases: [100],
    carriers,
    victim,
    rounds: 20,
    memory: 16 * MIB,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) =>
      spending(
        run,
        GOSSIP,
        () => oneway(GOSSIP, 2, concat(Uint8Array.of(1), randomBytes(32), randomBytes(44 * 20))),
        50,
      ),
  },
  {
    name: 'gossip-graft-unknown',
    title: 'asks a neighbor for messages of its topic that were never published',
    cases: [100],
    carriers: ['tcp'],
    victim,
    rounds: 20,
    memory: 16 * MIB,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) =>
      spending(
        run,
        GOSSIP,
        () => control(Control.graft, randomBytes(44 * 20)),
        50,
        (sent) => sent,
      ),
  },
  {
    name: 'gossip-graft-known',
    title: 'asks for the same 12 messages of 60 KiB, leaves, joins again and asks again',
    cases: [99],
    carriers: ['tcp'],
    victim,
    rounds: 20,
    // The messages that the victim keeps, and those that wait for the attacker.
    memory: (16 + 20) * MIB,
    answer: /^(nothing|GO_AWAY.*|cut)$/,
    async run(run) {
      const publisher = await asNode(run, true);
      const origin = randomBytes(32);
      const life = Date.now();
      const numbers = Array.from({ length: KNOWN }, (_, at) => at);
      const payload = new Uint8Array(60 * 1_024);
      for (const at of numbers) await publisher.push(push(origin, life, at, payload));
      await publisher.settled();
      const ids = concat(...numbers.map((at) => idOf(origin, life, at)));
      // Each message is sent three times, and a neighbor gets notice of it whenever it joins.
      const most = KNOWN * 3 * (payload.length + 1_024);
      const asked = (round: number) =>
        concat(
          repeat(control(Control.graft, ids), 3),
          oneway(GOSSIP, 3, text(viewOf({ type: 'disconnect', alive: true, peers: [] }))),
          oneway(GOSSIP, 3, text(viewOf({ type: 'join', request: round }))),
        );
      return spending(run, GOSSIP, asked, 1, (sent) => most + sent, 5);
    },
  },
  {
    name: 'gossip-ihave-flood',
    title: 'gives notice of messages that do not exist, each of another node',
    cases: [97, 98],
    carriers: ['tcp'],
    victim,
    rounds: 20,
    // The messages that the victim waits for: 8,192 of a neighbor.
    memory: 8_192 * 2 * 1_024,
    bound: NEW_ENTRIES,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) =>
      spending(
        run,
        GOSSIP,
        () => control(Control.ihave, randomBytes(46 * 80)),
        20,
        (sent) => sent,
      ),
  },
  {
    name: 'gossip-view-flood',
    title: 'joins and shuffles with forged views',
    cases: [106, 107],
    carriers,
    victim,
    rounds: 20,
    memory: 16 * MIB,
    answer: /^(nothing|GO_AWAY.*)$/,
    run: (run) => spending(run, GOSSIP, (round) => oneway(GOSSIP, 3, text(view(round))), 50),
  },
  {
    name: 'gossip-pull-flood',
    title: 'requests the list of topics again and again',
    cases: [],
    carriers,
    victim,
    rounds: 20,
    memory: 16 * MIB,
    // The attacker is still sending and reads late, so the end may overtake the reason.
    answer: /^(nothing|ended|ERROR 8|GO_AWAY 8\/13|cut)$/,
    async run(run) {
      const attacker = await asNode(run);
      for (let round = 0; run.goesOn() && !attacker.isOver; round++) {
        const asked = (_: unknown, at: number) =>
          frame({
            kind: Kind.request,
            id: 2 * (round * 100 + at) + 1,
            channel: GOSSIP,
            method: 5,
            payload: randomBytes(16),
          });
        await attacker.push(concat(...Array.from({ length: 100 }, asked)));
      }
      await attacker.settled();
      return outcomeOf(attacker);
    },
  },
];

/** Connects as a peer, and if wanted as a member of the victim's topic. */
async function asNode(run: AttackRun, isMember = false): Promise<AttackerConnection> {
  const { carrier, key } = run.target;
  const isProven = carrier === 'tls' || carrier === 'wss' || carrier === 'noise';
  const nodeId = isProven
    ? createHash('sha256')
        .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
        .digest('hex')
    : randomBytes(32).toString('hex');
  const protocols = [
    { name: 'trunkline.peers', version: 1, channel: PEERS },
    { name: 'trunkline.gossip', version: 1, channel: GOSSIP },
  ];
  const attacker = await run.admitted({ nodeId, protocols, addr: '127.0.0.1:9' });
  if (isMember) await joinTopic(attacker, nodeId, TOPIC);
  return attacker;
}

/** Sends the same bytes on one connection after the other; the victim ends each a moment later. */
async function onEachConnection(run: AttackRun, bytes: () => Uint8Array): Promise<string> {
  let answer = BANNED;
  while (run.goesOn()) {
    const attacker = await asNode(run).catch((error: Error) => {
      // A victim that knows the attacker's proven id has banned it.
      if (error.message.includes('the hello was refused: GO_AWAY 7/11')) return undefined;
      throw error;
    });
    if (attacker === undefined) return answer;
    await attacker.push(bytes());
    await Promise.race([attacker.until(() => attacker.goAway !== undefined), sleep(PATIENCE)]);
    answer = await outcomeOf(attacker);
    attacker.destroy();
    if (!run.isShort) await sleep(BREATH);
  }
  return answer;
}

/**
 * Sends one-ways on a channel at the pace of its credit; a disconnected attacker connects again.
 *
 * @param answers returns how many bytes of one-ways a connection may get for the bytes that it sent
 * @param each the number of one-ways that `make` returns
 */
async function spending(
  run: AttackRun,
  channel: number,
  make: (round: number) => Uint8Array,
  chunk: number,
  answers: (sent: number) => number = () => Number.POSITIVE_INFINITY,
  each = 1,
): Promise<string> {
  let answer = 'nothing';
  let attacker: AttackerConnection | undefined;
  let credit = 0;
  let [sent, received] = [0, 0];
  for (let round = 0; run.goesOn(); round += chunk) {
    if (attacker === undefined || attacker.isOver || attacker.goAway !== undefined) {
      if (attacker !== undefined) answer = await outcomeOf(attacker);
      if (run.isShort && answer !== 'nothing') return answer;
      attacker = await asNode(run, channel === GOSSIP).catch(() => undefined);
      if (attacker === undefined) {
        // The victim does not admit the attacker again at once.
        await sleep(BREATH);
        continue;
      }
      credit = INBOX - 4_096;
      sent = received = 0;
      const pulls = attacker.onFrame;
      attacker.onFrame = (read) => {
        pulls(read);
        if (read.kind === Kind.credit && read.account === 2 && read.channel === channel)
          credit += read.credit;
        if (read.kind === Kind.oneway && read.channel === channel) received += read.payload.length;
      };
    }
    const bytes = concat(...Array.from({ length: chunk }, (_, at) => make(round + at)));
    const cost = bytes.length + FIXED * each * chunk;
    const current: AttackerConnection = attacker;
    await Promise.race([
      current.until(() => credit > cost || current.goAway !== undefined),
      sleep(PATIENCE),
    ]);
    if (credit <= cost) return outcomeOf(current);
    credit -= cost;
    sent += bytes.length + 64 * chunk;
    await current.push(bytes);
    if (received > answers(sent) + FEW)
      throw new Error(`${sent} bytes were answered with ${received} bytes`);
  }
  if (attacker === undefined) return answer === 'nothing' ? BANNED : answer;
  await attacker.settled();
  const last = await outcomeOf(attacker);
  return last === 'nothing' ? answer : last;
}

async function outcomeOf(attacker: AttackerConnection): Promise<string> {
  if (attacker.goAway !== undefined) await attacker.over();
  return attacker.outcome();
}

function oneway(channel: number, method: number, payload: Uint8Array): Uint8Array {
  return frame({ kind: Kind.oneway, channel, method, payload });
}

/** Makes an unsigned gossip message to all. */
function push(
  origin: Uint8Array,
  life: number,
  number: number,
  payload: Uint8Array = text('a message'),
): Uint8Array {
  const id = idOf(origin, life, number);
  return oneway(GOSSIP, 1, concat(Uint8Array.of(0), TOPIC, new Uint8Array(2), id, payload));
}

function idOf(origin: Uint8Array, life: number, number: number): Uint8Array {
  const id = Buffer.alloc(44);
  id.set(origin);
  id.writeUIntBE(life, 32, 6);
  id.writeUIntBE(number, 38, 6);
  return id;
}

/** Makes a control message of Plumtree on the victim's topic. */
function control(kind: number, entries: Uint8Array): Uint8Array {
  return oneway(GOSSIP, 2, concat(Uint8Array.of(kind), TOPIC, entries));
}

function view(round: number): string {
  const peer = randomBytes(32).toString('hex');
  const message =
    round % 2 === 0
      ? { type: 'join', request: round }
      : { type: 'shuffle', origin: peer, id: round, ttl: 255, peers: Array(8).fill(peer) };
  return viewOf(message, [[peer, '10.0.0.1:1']]);
}

function viewOf(message: object, addresses: readonly (readonly string[])[] = []): string {
  return JSON.stringify({ topic: Buffer.from(TOPIC).toString('hex'), message, addresses });
}

/** The key of the victim's topic. */
const TOPIC: Uint8Array = createHash('sha256').update('hostile').digest();
const Control = { ihave: 0, graft: 1 } as const;
/** The initial credit for one-ways of a channel. */
const INBOX = 8 * MIB;
/** The cost of a one-way besides its bytes. */
const FIXED = 1_024;
/** The number of messages that the victim keeps for the attacker; they fit into its credit. */
const KNOWN = 12;
/** Bytes of notices and other messages that a neighbor gets without asking. */
const FEW = 16_384;
const BREATH = 20;
/** The time in milliseconds to wait for credit or a GO_AWAY. */
const PATIENCE = 5_000;
