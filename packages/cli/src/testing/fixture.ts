// A live node for the commands, and a terminal that records what they print.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmin } from '@trunkline/admin';
import { serveReflection } from '@trunkline/admin/reflection';
import { createGossip, fullMesh, type Gossip, type OverlayFactory } from '@trunkline/gossip';
import { createPeers, type Peers } from '@trunkline/peers';
import { type Health, serveHealth } from '@trunkline/resilience/health';
import { createIdentity } from '@trunkline/security';
import {
  type AllowCall,
  bytes,
  createTransport,
  defineProtocol,
  json,
  serve,
  systemClock,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { type TcpBackendOptions, tcp } from '@trunkline/transport-tcp';
import type { ExecutionContext } from 'ava';
import { z } from 'zod';
import { type CliTerminal, runCli } from '../index.ts';

export const demo = defineProtocol({
  name: 'demo',
  channel: 0x20,
  doc: 'Shows every kind of method.',
  methods: {
    greet: {
      id: 1,
      doc: 'Returns a greeting.',
      request: json(z.object({ name: z.string() })),
      response: json(z.object({ text: z.string() })),
    },
    note: { id: 2, request: json(z.string()) },
    sum: {
      id: 3,
      request: json(z.object({})),
      upload: json(z.number()),
      response: json(z.number()),
    },
    count: { id: 4, request: json(z.int()), download: json(z.int()) },
    echo: { id: 5, request: bytes, upload: bytes, download: bytes },
    same: { id: 7, request: json(z.nullable(z.int())), response: json(z.nullable(z.int())) },
    hang: { id: 6, request: json(z.object({})), response: json(z.object({})) },
  },
});

/** Options of a node. */
export interface NodeOptions {
  readonly tls?: TcpBackendOptions['tls'];
  readonly allow?: AllowCall;
  /** Without the protocols for tools. */
  readonly isBare?: boolean;
  readonly hasGossip?: boolean;
  readonly overlay?: OverlayFactory;
  readonly isSigned?: boolean;
  readonly seeds?: readonly string[];
  /** Lets tools change the node. */
  readonly isWritable?: boolean;
}

/** A running node. */
export interface TestNode {
  readonly address: string;
  readonly transport: Transport<typeof demo>;
  readonly notes: string[];
  readonly peers: Peers | undefined;
  readonly gossip: Gossip | undefined;
  readonly health: Health | undefined;
  readonly log: { level: string };
}

/** Starts a node that serves every kind of method, and closes it after the test. */
export async function startNode(
  t: ExecutionContext,
  {
    tls,
    allow = () => true,
    isBare = false,
    hasGossip = false,
    overlay = fullMesh(),
    isSigned = false,
    seeds = [],
    isWritable = false,
  }: NodeOptions = {},
): Promise<TestNode> {
  const admin = createAdmin({ allow, readonly: !isWritable });
  const log = { level: 'info' };
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol: demo,
    name: 'blue-1',
    backends: [tcp({ tls })],
    observer: admin.observer,
  });
  const notes: string[] = [];
  serve(transport, {
    greet: ({ name }) => {
      if (name === '') throw new TransportError('not_found', 'nobody to greet');
      return { text: `Hello, ${name}!` };
    },
    note: (text) => notes.push(text),
    sum: async (_, { upload }) => {
      let sum = 0;
      for await (const value of upload) sum += value;
      return sum;
    },
    count: async (to, rpc) => {
      for (let i = 1; i <= to; i++) await rpc.write(i);
    },
    echo: async (_, rpc) => {
      for await (const item of rpc.upload) await rpc.write(item);
    },
    same: (value) => value,
    hang: (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      ),
  });
  const identity = createIdentity();
  const peers = hasGossip
    ? createPeers({ transport, identity: tls ? undefined : identity, seeds })
    : undefined;
  const signatures = isSigned ? { identity } : undefined;
  const gossip = peers && createGossip({ transport, peers, overlay, signatures });
  let health: Health | undefined;
  if (!isBare) {
    serveReflection(transport, { allow });
    health = serveHealth(transport, { allow });
    admin.serve({ transport, peers, gossip, log });
  }
  await transport.listen();
  await peers?.start();
  await gossip?.start();
  t.teardown(async () => {
    await gossip?.close();
    await peers?.close();
    await transport.close();
  });
  return { address: transport.advertiseAddr(), transport, notes, peers, gossip, health, log };
}

/** Settings of a fake terminal. */
export interface TerminalOptions {
  readonly input?: string;
  readonly env?: Record<string, string>;
  readonly isTerminal?: boolean;
  readonly showsProgress?: boolean;
  readonly keys?: AsyncIterable<string>;
  readonly interrupted?: AbortSignal;
  /** Called with each text that is printed. */
  readonly onOut?: (text: string) => void;
  readonly onErr?: (text: string) => void;
  /** Called with each address that is opened in a browser. */
  readonly onBrowse?: (url: string) => void;
}

/** The outcome of a command. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command with a fake terminal. */
export async function trunkline(
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const { input = '', keys = none(), onOut, onErr } = options;
  const terminal: CliTerminal = {
    out: async (text) => {
      out += text;
      onOut?.(text);
    },
    err: (text) => {
      err += text;
      onErr?.(text);
    },
    input: once(input),
    isTerminal: options.isTerminal ?? false,
    showsProgress: options.showsProgress ?? false,
    size: { columns: 100, rows: 30 },
    keys: () => keys,
    browse: async (url) => options.onBrowse?.(url),
    env: { TRUNKLINE_CONTEXTS: '/nonexistent/contexts.json', ...options.env },
    interrupted: options.interrupted ?? new AbortController().signal,
    clock: systemClock,
    date: () => 0,
  };
  const code = await runCli(args, terminal);
  return { code, out, err };
}

async function* once(text: string): AsyncGenerator<string, void> {
  yield text;
}

async function* none(): AsyncGenerator<string, void> {}

/** Makes a folder for one test. */
export async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-cli-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}
