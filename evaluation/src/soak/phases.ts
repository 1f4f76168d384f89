// The phases of a soak: connections that come and go, one connection with millions of calls,
// and everything at once while connections are killed at random.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import { type FaultyStreamLayer, faulty } from '@trunkline/transport-testkit';
import type { Carrier } from './carriers.ts';
import { Ledger } from './ledger.ts';
import { heapUsed } from './memory.ts';
import { type Handled, ITEMS, type Soaked } from './protocol.ts';

/** The result of one phase. */
export interface Phase {
  readonly name: string;
  /** The number of `what` that were done: cycles or calls. */
  readonly done: number;
  readonly what: string;
  readonly seconds: number;
  /** Bytes of heap after a collection, once the phase was warm and at its end. */
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly ledger: string;
  /** A sentence for each rule that is broken. */
  readonly wrong: readonly string[];
}

export interface SoakContext {
  readonly carrier: Carrier;
  readonly server: Soaked;
  readonly handled: Handled;
  readonly address: string;
  readonly seed: number;
  /** Reports how many cycles or calls of the phase are done. */
  progress(done: number): void;
}

/** Connects, calls once and closes, `most` times or until `milliseconds` are over. */
export async function cycles(
  context: SoakContext,
  most: number,
  milliseconds: number,
): Promise<Phase> {
  const ledger = new Ledger();
  const one = async () => {
    const client = await open(context);
    await ledger.call(() => client.send(context.address, 'echo', SMALL));
    ledger.keep(client);
    await client.close();
  };
  return measured(context, {
    name: 'connect, call, close',
    what: 'cycles',
    ledger,
    most,
    milliseconds,
    width: 16,
    one,
    end: async () => gone(context),
  });
}

/** Makes calls over one connection, `most` times or until `milliseconds` are over. */
export async function calls(
  context: SoakContext,
  most: number,
  milliseconds: number,
): Promise<Phase> {
  const ledger = new Ledger();
  let ups = 0;
  const client = await open(context, {
    maxPool: 1,
    observer: { event: ({ type }) => void (ups += Number(type === 'up')) },
  });
  await client.dial(context.address);
  const one = () => ledger.call(() => client.send(context.address, 'echo', SMALL));
  return measured(context, {
    name: 'calls on one connection',
    what: 'calls',
    ledger,
    most,
    milliseconds,
    width: 256,
    one,
    end: async () => {
      ledger.keep(client);
      await client.close();
      return [
        ...(ups === 1 ? [] : [`${ups} connections came up instead of one`]),
        ...(await gone(context)),
      ];
    },
  });
}

/**
 * Makes calls of every kind from several clients for `milliseconds`, while connections are killed
 * at random.
 */
export async function kills(context: SoakContext, milliseconds: number): Promise<Phase> {
  const ledger = new Ledger();
  const random = seededRandom(context.seed);
  const networks: FaultyStreamLayer[] = [];
  const faultyOf = (layer: StreamLayer) =>
    faulty(layer, { seed: Math.floor(random() * 1e9), cutEvery: 20_000_000 });
  const clients: Soaked[] = [];
  for (let i = 0; i < CLIENTS; i++)
    clients.push(await open(context, {}, (layer) => (networks[i] = faultyOf(layer))));
  let lost = 0;
  const close = async (client: Soaked) => {
    await client.close();
    ledger.keep(client);
    lost += client.snapshot().counters.onewayLost ?? 0;
  };
  const notes = { before: context.handled.notes, accepted: 0 };
  let killed = 0;
  const killing = new AbortController();
  const killer = (async () => {
    while (!killing.signal.aborted) {
      await sleep(10 + random() * 190);
      killed++;
      const way = random();
      const at = Math.floor(random() * CLIENTS);
      if (way < 0.6) networks[at]?.cut();
      else if (way < 0.7) void clients[at]!.closeStreams();
      else if (way < 0.8) void context.server.closeStreams();
      else {
        const gone = clients[at]!;
        clients[at] = await open(context, {}, (layer) => (networks[at] = faultyOf(layer)));
        await close(gone);
      }
    }
  })();
  const one = () =>
    anyCall(
      clients[Math.floor(random() * clients.length)]!,
      context.address,
      random,
      ledger,
      notes,
    );
  return measured(context, {
    name: 'calls of every kind, connections killed',
    what: 'calls',
    ledger,
    most: Number.POSITIVE_INFINITY,
    milliseconds,
    width: 64,
    one,
    end: async () => {
      killing.abort();
      await killer;
      const wrong: string[] = killed === 0 ? ['no connection was killed'] : [];
      for (const client of clients) await close(client);
      wrong.push(...(await gone(context)));
      const handled = context.handled.notes - notes.before;
      if (handled > notes.accepted || handled + lost < notes.accepted) {
        wrong.push(
          `${notes.accepted} one-ways were accepted, ${handled} handled and ${lost} counted as lost`,
        );
      }
      return wrong;
    },
  });
}

/** Makes one call of a random kind; some are cancelled, and some have too short a timeout. */
async function anyCall(
  client: Soaked,
  address: string,
  random: Random,
  ledger: Ledger,
  notes: { accepted: number },
): Promise<void> {
  const kind = random();
  if (kind < 0.5) return ledger.call(() => client.send(address, 'echo', SMALL));
  if (kind < 0.6) return ledger.call(() => client.send(address, 'echo', LARGE));
  if (kind < 0.7)
    return ledger.call(() => client.send(address, 'note', SMALL).then(() => void notes.accepted++));
  if (kind < 0.75) return ledger.call(() => client.send(address, 'late', SMALL, { timeout: 5 }));
  if (kind < 0.8) {
    const controller = new AbortController();
    const call = ledger.call(() =>
      client.send(address, 'late', SMALL, { signal: controller.signal }),
    );
    await sleep(2);
    controller.abort();
    return call;
  }
  if (kind < 0.9)
    return ledger.call(() => client.send(address, 'gather', SMALL, { upload: items() }));
  return ledger.call(async () => {
    let got = 0;
    for await (const _ of await client.send(address, 'range', SMALL)) got++;
    if (got !== ITEMS) throw new Error(`a stream of ${ITEMS} items ended in order after ${got}`);
  });
}

async function* items(): AsyncGenerator<Uint8Array, void, void> {
  for (let i = 0; i < ITEMS; i++) yield MIDDLE;
}

async function open(
  { carrier }: SoakContext,
  options?: Parameters<Carrier['open']>[1],
  wrap?: Parameters<Carrier['open']>[2],
): Promise<Soaked> {
  return carrier.open('client', options, wrap);
}

/** The work of a phase. */
interface Work {
  readonly name: string;
  /** The things that are counted. */
  readonly what: string;
  readonly ledger: Ledger;
  /** The phase ends after that many, or after `milliseconds`. */
  readonly most: number;
  readonly milliseconds: number;
  /** The number of things at a time. */
  readonly width: number;
  one(): Promise<void>;
  /** Called at the end of the phase; resolves with what is wrong. */
  end(): Promise<readonly string[]>;
}

/**
 * Runs `one` repeatedly, `width` at a time. The heap is compared with that after a third of the
 * phase, when code is compiled.
 */
async function measured(
  context: SoakContext,
  { name, what, ledger, most, milliseconds, width, one, end }: Work,
): Promise<Phase> {
  const begin = performance.now();
  let done = 0;
  const until = async (count: number, time: number) => {
    let left = count - done;
    const lane = async () => {
      while (left-- > 0 && performance.now() - begin < time) {
        await one();
        if (++done % 1_000 === 0) context.progress(done);
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
  };
  await until(Math.ceil(most / 3), milliseconds / 3);
  const heapBefore = await heapUsed();
  await until(most, milliseconds);
  const heapAfter = await heapUsed();
  const wrong = [...(await end())];
  const imbalance = ledger.imbalance();
  if (imbalance !== undefined) wrong.push(imbalance);
  const seconds = (performance.now() - begin) / 1_000;
  const grown = heapAfter - heapBefore;
  if (grown > Math.max(GROWTH * heapBefore, seconds < LONG ? COMPILED : 0))
    wrong.push(`the heap grew by ${((grown / heapBefore) * 100).toFixed(1)} %`);
  return { name, done, what, seconds, heapBefore, heapAfter, ledger: String(ledger), wrong };
}

/** Waits until the server has no connection left; returns a sentence for all it still holds. */
async function gone({ server }: SoakContext): Promise<string[]> {
  for (let i = 0; i < 500 && server.snapshot().connections.length > 0; i++) await sleep(10);
  const { connections, memory, waiting } = server.snapshot();
  const wrong: string[] = [];
  if (connections.length > 0) wrong.push(`the server keeps ${connections.length} connections`);
  if (memory > 0 || waiting > 0)
    wrong.push(`the server keeps ${memory} bytes of messages and ${waiting} calls`);
  return wrong;
}

const SMALL = new Uint8Array(64);
const MIDDLE = new Uint8Array(1_000);
const LARGE = new Uint8Array(100_000);
const CLIENTS = 4;
/**
 * The share by which the heap may grow. Phases of less than `LONG` seconds may grow by `COMPILED`
 * bytes instead, for code that is still being compiled.
 */
const GROWTH = 0.05;
const LONG = 60;
const COMPILED = 1024 * 1024;
