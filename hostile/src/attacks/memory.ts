// Attacks on memory: messages that are not finished, not read, or not taken, and refusals that are
// not read.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.ts';
import type { Enemy } from '../enemy.ts';
import { PACKET, pushLong } from '../long.ts';
import { CHANNEL, Method } from '../methods.ts';
import { concat, frame, Kind, repeat } from '../wire.ts';

const MIB = 1024 * 1024;
/** The default of `limits.memory`, times the factor at which the victim disconnects. */
const MEMORY = 512 * MIB * 1.25;
/** The options of a victim with less memory, for short runs. */
const small = { limits: { memory: 24 * MIB, message: 8 * MIB } };

export const memory: readonly Attack[] = [
  {
    name: 'oneway-slow-handler',
    title:
      'sends one-ways to a handler that takes a second, on four connections, at the pace of the credit',
    cases: [49],
    // Four connections, each with the credit of one channel and the content of its queue.
    memory: 4 * (1 + 8) * MIB,
    rounds: 400,
    answer: /^nothing$/,
    async run(field) {
      const enemies = await field.army(4);
      const credit = enemies.map((enemy) => creditOf(enemy));
      const oneway = frame({
        kind: Kind.oneway,
        channel: CHANNEL,
        method: Method.note,
        payload: new Uint8Array(1_024),
      });
      const chunk = repeat(oneway, 100);
      while (field.goesOn()) {
        let sent = 0;
        for (const [at, enemy] of enemies.entries()) {
          if (credit[at]!.left < chunk.length || enemy.isOver) continue;
          credit[at]!.left -= 100 * (1_024 + 64);
          await enemy.push(chunk);
          sent++;
        }
        if (sent === 0) await sleep(field.isShort ? 1 : 5);
      }
      return enemies[0]!.told();
    },
  },
  {
    name: 'declared-memory',
    title: 'declares eight requests of 64 MiB on eight connections and sends 64 KiB/s of each',
    cases: [8, 20],
    memory: MEMORY,
    rounds: 1,
    answer: /^(nothing|ERROR (8|10).*|GO_AWAY 8\/6)$/,
    async run(field) {
      const enemies = await field.army(8);
      const payload = new Uint8Array(PACKET);
      for (const enemy of enemies) await pushLong(enemy, longRequest(1), payload, 64 * MIB);
      while (field.goesOn()) {
        for (const enemy of enemies)
          if (enemy.pipe > 0) await enemy.push(frame({ kind: Kind.part, id: 1, payload }));
        if (!field.isShort) await sleep(1_000);
      }
      for (const enemy of enemies) await enemy.settled();
      return enemies[0]!.told();
    },
  },
  {
    name: 'unfinished-requests',
    title: 'leaves the last packet of 32 requests of 64 MiB away',
    cases: [20, 49],
    memory: MEMORY,
    shortVictim: small,
    answer: /^(nothing|ERROR 8.*|GO_AWAY 8\/6)$/,
    run: (field) =>
      unfinished(field, (enemy, id, size) =>
        pushLong(enemy, longRequest(id), new Uint8Array(size - PACKET), size),
      ),
  },
  {
    name: 'unfinished-oneways',
    title: 'leaves the last packet of 32 one-ways of 64 MiB away',
    cases: [20, 49],
    memory: MEMORY,
    shortVictim: small,
    answer: /^(nothing|ERROR 8.*|GO_AWAY 8\/6)$/,
    run: (field) =>
      unfinished(field, (enemy, id, size) =>
        pushLong(
          enemy,
          { kind: Kind.oneway, id, channel: CHANNEL, method: Method.note },
          new Uint8Array(size - PACKET),
          size,
        ),
      ),
  },
  {
    name: 'unfinished-items',
    title: 'leaves the last packet of 128 items of 1 MiB away, on 16 connections',
    cases: [20, 58],
    memory: MEMORY,
    shortVictim: small,
    answer: /^(nothing|ERROR 8.*|GO_AWAY 8\/6)$/,
    async run(field) {
      const enemies = await field.army(field.isShort ? 2 : 16);
      const streams = field.isShort ? 32 : 128;
      await Promise.all(
        enemies.map(async (enemy) => {
          for (let at = 0; at < streams && !enemy.isOver; at++) {
            const id = 2 * at + 1;
            await enemy.push(
              frame({ kind: Kind.request, id, channel: CHANNEL, method: Method.upload, flags: 1 }),
            );
            await pushLong(enemy, { kind: Kind.item, id }, new Uint8Array(MIB - PACKET), MIB);
          }
        }),
      );
      while (field.goesOn()) if (!field.isShort) await sleep(100);
      return worst(enemies);
    },
  },
  {
    name: 'trickling-reader',
    title: 'makes calls that are refused and does not read the refusals',
    cases: [23, 58],
    // The queued refusals, and the part of the socket buffers that Node's stream keeps.
    memory: 32 * MIB,
    rounds: 2_000,
    answer: /^(cut|ended|GO_AWAY.*)$/,
    async run(field) {
      const enemy = await field.admitted();
      enemy.socket.pause();
      const over = enemy.over();
      let left = false;
      void over.then(() => {
        left = true;
      });
      for (let first = 1; field.goesOn() && !left; first = ((first + 1_000) % 0x7fff_0001) | 1) {
        const bytes = concat(...Array.from({ length: 500 }, (_, at) => refused(first + 2 * at)));
        await Promise.race([enemy.push(bytes), over]);
      }
      enemy.socket.resume();
      return over;
    },
  },
  {
    name: 'never-reads',
    title: 'asks for 100 endless downloads, grants a GiB of credit and reads nothing',
    cases: [54, 58],
    memory: 64 * MIB,
    rounds: 1,
    answer: /^(nothing|cut|ended)$/,
    async run(field) {
      const enemy = await field.admitted();
      await enemy.push(
        concat(
          ...Array.from({ length: 100 }, (_, at) =>
            frame({
              kind: Kind.request,
              id: 2 * at + 1,
              channel: CHANNEL,
              method: Method.download,
              flags: 2,
            }),
          ),
        ),
      );
      enemy.socket.pause();
      while (field.goesOn() && !enemy.isOver) await sleep(field.isShort ? 200 : 100);
      return enemy.told();
    },
  },
  {
    name: 'calls-held',
    title: 'holds 4,096 calls open on each of 50 connections',
    cases: [45, 49],
    memory: 256 * MIB,
    shortVictim: { limits: { calls: 64 } },
    answer: /^(nothing|ERROR 8.*)$/,
    async run(field) {
      const enemies = await field.army(field.isShort ? 10 : 50);
      const each = field.isShort ? 100 : 4_096;
      const payload = new Uint8Array(1_024);
      for (const enemy of enemies) {
        for (let at = 0; at < each; at++) {
          await enemy.push(
            frame({
              kind: Kind.request,
              id: 2 * at + 1,
              channel: CHANNEL,
              method: Method.hold,
              payload,
              metadata: [['key', 'value']],
            }),
          );
        }
      }
      for (const enemy of enemies) await enemy.settled();
      while (field.goesOn()) if (!field.isShort) await sleep(100);
      return worst(enemies);
    },
  },
  {
    name: 'credit-unmounted',
    title: 'gives credit to each of 256 channels on 200 connections',
    cases: [11, 61],
    memory: 200 * 48 * 1_024,
    answer: /^nothing$/,
    async run(field) {
      const enemies = await field.army(field.isShort ? 100 : 200);
      const channels = Array.from({ length: 256 }, (_, channel) => channel).filter(
        (channel) => channel !== CHANNEL,
      );
      const credits = concat(
        ...channels.flatMap((channel) =>
          [2, 3].map((account) => frame({ kind: Kind.credit, account, channel, credit: 1 })),
        ),
      );
      for (const enemy of enemies) await enemy.push(credits);
      for (const enemy of enemies) await enemy.settled();
      while (field.goesOn()) if (!field.isShort) await sleep(100);
      return worst(enemies);
    },
  },
  {
    name: 'idle-connections',
    title: 'opens 500 connections, says hello and is silent',
    cases: [61],
    memory: 500 * 64 * 1_024,
    answer: /^nothing$/,
    async run(field) {
      const enemies = await field.army(field.isShort ? 50 : 500);
      while (field.goesOn()) if (!field.isShort) await sleep(100);
      return worst(enemies);
    },
  },
];

/** Tracks account 2 of the lab's channel. */
function creditOf(enemy: Enemy): { left: number } {
  const account = { left: MIB };
  enemy.onFrame = (read) => {
    if (read.kind === Kind.credit && read.account === 2 && read.channel === CHANNEL)
      account.left += read.credit;
  };
  return account;
}

function longRequest(id: number) {
  return { kind: Kind.request, id, channel: CHANNEL, method: Method.size };
}

function refused(id: number): Uint8Array {
  return frame({ kind: Kind.request, id, channel: CHANNEL, method: 99 });
}

/** Opens 32 connections (6 in a short run), begins one message on each, and finishes none. */
async function unfinished(
  field: Parameters<Attack['run']>[0],
  begin: (enemy: Enemy, id: number, size: number) => Promise<void>,
): Promise<string> {
  const enemies = await field.army(field.isShort ? 6 : 32);
  await Promise.all(enemies.map((enemy) => begin(enemy, 1, field.isShort ? 8 * MIB : 64 * MIB)));
  while (field.goesOn()) if (!field.isShort) await sleep(100);
  for (const enemy of enemies) await enemy.settled();
  return worst(enemies);
}

/**
 * Returns the harshest answer among them: a GO_AWAY if there is one, otherwise any answer but
 * 'nothing'.
 */
function worst(enemies: readonly Enemy[]): string {
  const told = enemies.map((enemy) => enemy.told());
  return (
    told.find((answer) => answer.startsWith('GO_AWAY')) ??
    told.find((answer) => answer !== 'nothing') ??
    'nothing'
  );
}
