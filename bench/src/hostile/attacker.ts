// The attacker: `attacker.js <address>`. It writes the wire protocol by hand, from an address of
// its own.

import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeRawFrame, type RawFrameInput, rawHello } from '@trunkline/transport-testkit/session';
import { report, runCommands } from '../commands.ts';
import type { Attack } from './attacks.ts';

export interface AttackerCommand {
  /** Attack for this many milliseconds. */
  readonly attack?: { readonly kind: Attack; readonly milliseconds: number };
  /** Connect once and never read, until the command to end. */
  readonly slow?: 'begin' | 'end';
  /** Hold this many silent connections for this many milliseconds. */
  readonly hold?: { readonly count: number; readonly milliseconds: number };
}

export interface AttackerReport {
  /** Requests, cancelled calls or connections a second. */
  readonly rate?: number;
}

const [address] = process.argv.slice(2);
const port = Number(address!.slice(address!.lastIndexOf(':') + 1));
let slow: Socket | undefined;

/** A loopback address other than that of the honest peers; Linux has all of 127.0.0.0/8. */
const SOURCE = '127.0.0.2';
const PREAMBLE = Uint8Array.from([0x54, 0x52, 0x4b, 0x4c]);
/** The number of calls that one write opens and cancels. */
const PAIRS = 500;

runCommands<AttackerCommand, AttackerReport>(
  async ({ attack, slow: command, hold }) => {
    if (command === 'begin') {
      slow = await admitted();
      slow.pause();
    }
    if (command === 'end') slow?.resetAndDestroy();
    if (hold !== undefined) await holding(hold.count, hold.milliseconds);
    if (attack === undefined) return {};
    const done = await ATTACKERS[attack.kind](attack.milliseconds);
    return { rate: done / (attack.milliseconds / 1_000) };
  },
  () => slow?.destroy(),
);
report<AttackerReport>({});

const ATTACKERS: Record<Attack, (milliseconds: number) => Promise<number>> = {
  'never reads': (milliseconds) => unread(milliseconds, 1, (socket) => void socket.pause()),
  'a byte a second': (milliseconds) =>
    unread(milliseconds, 1, (socket) => {
      socket.pause();
      const reading = setInterval(() => socket.read(1), 1_000);
      socket.on('close', () => clearInterval(reading));
    }),
  'no credit': (milliseconds) => unread(milliseconds, 4, (socket) => void socket.resume()),
  'rapid reset': rapidReset,
  'connects, 1,000/s': (milliseconds) => connects(1_000, milliseconds),
  'connects, 10,000/s': (milliseconds) => connects(10_000, milliseconds),
};

/**
 * Four connections request answers of `times` × 64 KiB, 2,000 a second, and read them as `reads`
 * arranges; they never grant credit.
 */
async function unread(
  milliseconds: number,
  times: number,
  reads: (socket: Socket) => void,
): Promise<number> {
  const sockets = await Promise.all([1, 2, 3, 4].map(admitted));
  for (const socket of sockets) reads(socket);
  const end = performance.now() + milliseconds;
  let id = 1;
  let asked = 0;
  while (performance.now() < end) {
    for (const socket of sockets) {
      if (socket.destroyed || socket.writableLength > 1_000_000) continue;
      const requests = Array.from(
        { length: 5 },
        (): RawFrameInput => ({
          kind: 'REQUEST',
          id: (id += 2),
          channel: 0x20,
          method: 2,
          timeout: 60_000,
          payload: Uint8Array.of(times),
        }),
      );
      socket.write(Buffer.concat(requests.map(encodeRawFrame)));
      asked += requests.length;
    }
    await sleep(10);
  }
  for (const socket of sockets) socket.resetAndDestroy();
  return asked;
}

/** Opens calls and cancels them in the same write, up to 100,000 a second. */
async function rapidReset(milliseconds: number): Promise<number> {
  const batches: Buffer[] = [];
  let id = 1;
  for (let i = 0; i < 40; i++) {
    const frames: RawFrameInput[] = [];
    for (let j = 0; j < PAIRS; j++) {
      id += 2;
      frames.push(
        { kind: 'REQUEST', id, channel: 0x20, method: 3, timeout: 60_000 },
        { kind: 'CANCEL', id },
      );
    }
    batches.push(Buffer.concat(frames.map(encodeRawFrame)));
  }
  const begin = performance.now();
  let socket = await admitted();
  let done = 0;
  for (let batch = 0; performance.now() - begin < milliseconds; batch++) {
    if (socket.destroyed) socket = await admitted();
    socket.resume();
    socket.write(batches[batch % batches.length]!);
    done += PAIRS;
    while (
      !socket.destroyed &&
      socket.writableLength > 1_000_000 &&
      performance.now() - begin < milliseconds
    )
      await sleep(1);
    const due = begin + (done / 100_000) * 1_000;
    if (due > performance.now()) await sleep(due - performance.now());
    else await sleep(0);
  }
  socket.resetAndDestroy();
  return done - socket.writableLength / (batches[0]!.length / PAIRS);
}

/** Opens connections at a rate and sends nothing on them; at most 256 are open at a time. */
async function connects(rate: number, milliseconds: number): Promise<number> {
  const sockets = new Set<Socket>();
  const begin = performance.now();
  let opened = 0;
  for (let now = begin; now - begin < milliseconds; now = performance.now()) {
    while (opened < ((now - begin) / 1_000) * rate && sockets.size < 256) {
      const socket = dial();
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      opened++;
    }
    await sleep(1);
  }
  for (const socket of sockets) socket.resetAndDestroy();
  return opened;
}

async function holding(count: number, milliseconds: number): Promise<void> {
  const sockets = Array.from({ length: count }, dial);
  await sleep(milliseconds);
  for (const socket of sockets) socket.resetAndDestroy();
}

function dial(): Socket {
  const socket = new Socket();
  socket.on('error', () => {});
  socket.resume();
  socket.connect({ host: '127.0.0.1', port, localAddress: SOURCE });
  return socket;
}

/** Opens a connection and says hello according to the protocol. */
async function admitted(): Promise<Socket> {
  const socket = new Socket();
  socket.on('error', () => {});
  socket.connect({ host: '127.0.0.1', port, localAddress: SOURCE });
  const hello = rawHello({
    protocols: [{ name: 'hostile', version: 1, accepts: [1], channel: 0x20 }],
  });
  socket.write(Buffer.concat([PREAMBLE, encodeRawFrame({ kind: 'HELLO', hello })]));
  await once(socket, 'data');
  socket.write(encodeRawFrame({ kind: 'READY' }));
  return socket;
}
