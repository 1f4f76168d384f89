// The process under attack: a transport with default options that serves every kind of method, and
// measures itself.

import { setTimeout as sleep } from 'node:timers/promises';
import { serveReflection } from '@trunkline/admin/reflection';
import { createGossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { formatSnapshot } from '@trunkline/telemetry';
import { bytes, type LimitOptions, serve, type Transport } from '@trunkline/transport-core';
import type { Carrier } from './carriers.ts';
import type { RunCredentials } from './credentials.ts';
import { LoopDelay } from './loop-delay.ts';
import { MemoryPeak } from './memory-peak.ts';
import { listeningNode } from './node.ts';
import { serveCommands } from './parent-channel.ts';
import { victimProtocol } from './victim-protocol.ts';
import { growYoungGeneration, touchMemory } from './warm-up.ts';

/** Options in which the victim differs from the defaults. */
export interface VictimOptions {
  readonly limits?: LimitOptions;
  readonly origins?: readonly string[];
  /** Runs peers and gossip, on one topic. */
  readonly nodes?: boolean;
  /** Serves reflection. */
  readonly reflection?: boolean;
}

export type VictimCommand =
  | {
      readonly do: 'start';
      readonly carrier: Carrier;
      readonly credentials: RunCredentials;
      readonly options: VictimOptions;
      /** Bytes by which the limits let its memory grow. */
      readonly memory: number;
    }
  /** Marks the start of an attack: peaks are reset. */
  | { readonly do: 'mark' }
  | { readonly do: 'look' };

export interface VictimReport {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  /** Bytes now, and the most since the mark. */
  readonly rss: number;
  readonly peak: number;
  /** The longest delay of the event loop since the mark, in milliseconds. */
  readonly delay: number;
  /**
   * The most CPU time in milliseconds that its thread used between two turns of a timer; undefined
   * if the system does not report it.
   */
  readonly busy: number | undefined;
  /** The number of handles and timers, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  readonly connections: number;
  /** Bytes that the transport holds for messages. */
  readonly memory: number;
  readonly counters: Readonly<Record<string, number>>;
  /** The texts that an operator would read: from the observer since the mark, and a snapshot. */
  readonly texts: readonly string[];
  readonly snapshot: string;
}

type Running = Awaited<ReturnType<typeof start>>;
let running: Running | undefined;

serveCommands<VictimCommand, VictimReport>(
  async (command) => {
    if (command.do === 'start') running = await start(command);
    else if (command.do === 'mark') running!.mark();
    return running!.look();
  },
  () => void running?.close(),
);

/**
 * Serves reflection, and asks for a description once, as a tool of the operator would: the first
 * one of a process loads protobufjs, which takes 50 ms (docs/reflection.md).
 */
async function describeOnce(transport: Transport<typeof victimProtocol>): Promise<void> {
  const reflector = serveReflection(transport);
  await reflector.describe(transport.advertiseAddr(), victimProtocol.name);
}

async function start({
  carrier,
  credentials,
  options,
  memory,
}: Extract<VictimCommand, { do: 'start' }>) {
  let texts: string[] = [];
  const note = (text: string) => {
    if (texts.length < MOST_TEXTS) texts.push(text);
  };
  const { nodes: isNode, reflection: isReflecting, ...given } = options;
  const node = await listeningNode({
    carrier,
    credentials,
    ...given,
    observer: {
      event(event) {
        if ('error' in event && event.error instanceof Error) note(event.error.message);
        if (event.type === 'down' && event.cause !== undefined) note(event.cause.message);
      },
    },
  });
  serve(node.transport, {
    echo: (request) => request,
    note: () => sleep(NOTE),
    strings: (texts) => texts.length,
    size: (request) => request.length,
    async *download() {
      for (;;) yield ITEM;
    },
    async upload(_request, { upload, signal }) {
      let items = 0;
      for await (const _ of upload) {
        items++;
        await sleep(NOTE, undefined, { signal }).catch(() => {});
      }
      return items;
    },
    async hold(request, { signal }) {
      await sleep(HOLD, undefined, { signal }).catch(() => {});
      return request;
    },
    unheeding: (request) => sleep(UNHEEDING, request),
    number: ({ n }) => n,
    fail() {
      throw Object.assign(new Error('the handler failed'), {
        secret: 'hunter2',
        stack: 'secret stack',
      });
    },
    lists: ({ numbers, texts, nested }) => numbers.length + texts.length + nested.length,
  });
  if (isReflecting === true) await describeOnce(node.transport);
  const close = isNode === true ? await startNode(node.transport) : async () => {};
  const loop = new LoopDelay();
  const peak = new MemoryPeak();
  growYoungGeneration();
  touchMemory(memory);
  return {
    mark() {
      texts = [];
      loop.reset();
      peak.reset();
    },
    look(): VictimReport {
      const snapshot = node.transport.snapshot();
      const resources: Record<string, number> = {};
      for (const kind of process.getActiveResourcesInfo())
        resources[kind] = (resources[kind] ?? 0) + 1;
      return {
        host: node.host,
        port: node.port,
        address: node.address,
        rss: process.memoryUsage.rss(),
        peak: peak.read(),
        delay: loop.longest,
        busy: loop.busiest,
        resources,
        connections: snapshot.connections.length,
        memory: snapshot.memory,
        counters: { ...snapshot.counters },
        texts: [...texts],
        snapshot: formatSnapshot(snapshot),
      };
    },
    close() {
      loop.stop();
      peak.stop();
      return close().then(() => node.close());
    },
  };
}

/** Starts peers and gossip above the transport; returns a function that closes them. */
async function startNode(
  transport: Transport<typeof victimProtocol>,
): Promise<() => Promise<void>> {
  const peers = createPeers({ transport });
  const gossip = createGossip({ transport, peers, overlay: partialView() });
  gossip.topic('hostile', bytes).subscribe(() => {});
  await peers.start();
  await gossip.start();
  return async () => {
    await gossip.close({ grace: 0 });
    await peers.close();
  };
}

/**
 * Milliseconds that slow handlers take, those that `hold` takes, and those that `unheeding` takes.
 */
const NOTE = 1_000;
const HOLD = 10_000;
const UNHEEDING = 20;
const ITEM = new Uint8Array(65_536);
const MOST_TEXTS = 1_000;
