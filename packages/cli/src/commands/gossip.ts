// trunkline pub and sub: join the network as a node, and publish or read messages on a topic.

import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createGossip, fullMesh, type Gossip, partialView, type Topic } from '@trunkline/gossip';
import { createPeers, type Peers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { loadIdentity } from '@trunkline/security/node';
import {
  type AnyTransport,
  bytes,
  type Codec,
  createTransport,
  json,
  TransportError,
} from '@trunkline/transport-core';
import { cleanText, formatHostPort, parseTarget } from '@trunkline/transport-core/backend';
import { defineProjectProtocol, splitScheme } from '@trunkline/transport-core/internal';
import { type Command, Option } from 'commander';
import * as z from 'zod/mini';
import { checked, UsageError } from '../exit-codes.ts';
import { backendsOf, checkAddress, explain, explainSecurity, readSettings } from '../node.ts';
import { say, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount } from '../time.ts';
import { parseJson, readLines } from '../values.ts';

interface GossipOptions {
  readonly overlay: string;
  readonly codec: string;
  readonly signed?: boolean | undefined;
  readonly count?: string | undefined;
  readonly min?: string | undefined;
}

export function addGossip(program: Command, terminal: CliTerminal): void {
  const options = (command: Command) =>
    command
      .addOption(
        new Option('--overlay <overlay>', 'the overlay of the topic, the same at all nodes')
          .choices(['fullMesh', 'partialView'])
          .default('fullMesh'),
      )
      .addOption(
        new Option('--codec <codec>', 'the codec of the messages; bytes are base64')
          .choices(['json', 'bytes'])
          .default('json'),
      )
      .option('--signed', 'accept only signed messages; pub signs with --key, or with a new key');
  options(
    program
      .command('pub')
      .summary('publish messages on a topic')
      .description(
        'Joins the network as a node, through the node at --address, and publishes a message, or one for each line of the standard input. On a full mesh, it first connects to every known node.',
      )
      .argument('<topic>', 'the name of the topic')
      .argument('[message]', 'the message; default: the standard input'),
  )
    .option('--min <number>', 'wait until this many nodes have confirmed each message', '1')
    .action(
      async (topic: string, message: string | undefined, given: GossipOptions, command: Command) =>
        withTopic(command, terminal, topic, given, async (handle, timeout) => {
          const min = parseCount(given.min ?? '1', '--min', 0);
          const messages =
            message === undefined
              ? readLines(undefined, terminal)
              : [parseJson(message, 'the message')];
          let count = 0;
          for await (const each of messages) {
            await handle.publish(each, { min, timeout });
            count++;
          }
          say(command, terminal, `published ${count}`, { published: count });
        }),
    );
  options(
    program
      .command('sub')
      .summary('read the messages of a topic')
      .description(
        'Joins the network as a node, through the node at --address, and prints each message of a topic as a line; with --json, also its publisher and id. It listens on a free port, so that nodes and pub can connect to it.',
      )
      .argument('<topic>', 'the name of the topic'),
  )
    .option('--count <number>', 'stop after this many messages')
    .action(async (topic: string, given: GossipOptions, command: Command) => {
      let left =
        given.count === undefined ? Number.POSITIVE_INFINITY : parseCount(given.count, '--count');
      return withTopic(command, terminal, topic, given, async (handle) => {
        const isJson = command.optsWithGlobals()['json'] === true;
        const messages = handle.messages();
        const end = () => void messages.return?.();
        terminal.interrupted.addEventListener('abort', end, { once: true });
        say(command, terminal, `reading ${topic}`, { reading: topic });
        for await (const { message, meta } of messages) {
          const { origin, id, hops } = meta;
          await terminal.out(`${toJson(isJson ? { message, origin, id, hops } : message)}\n`);
          if (--left <= 0) break;
        }
      });
    });
}

/** Joins the network and a topic as a node, runs a function with the topic, and leaves. */
async function withTopic(
  command: Command,
  terminal: CliTerminal,
  name: string,
  { overlay, codec, signed }: GossipOptions,
  use: (topic: Topic<unknown>, timeout: number) => Promise<void>,
): Promise<void> {
  const settings = await readSettings(command.optsWithGlobals(), terminal);
  const { address, key, network, token, timeout } = settings;
  if (address === undefined)
    throw new UsageError(
      'which node? Give --address, set TRUNKLINE_ADDRESS, or save one with: trunkline context add',
    );
  checkAddress(address);
  const options = {
    protocol: memberProtocol,
    backends: await backendsOf(settings),
    network,
    dialTimeout: Math.min(timeout, 3_000),
    hello: token === undefined ? undefined : { token },
  };
  const local = command.name() === 'sub' ? await addressToward(address) : undefined;
  const transport = checked(() =>
    local === undefined ? createTransport(options) : createTransport(local, options),
  );
  const identity = key === undefined ? createIdentity() : await loadIdentity(key);
  const peers = createPeers({ transport, seeds: [address], identity });
  const overlayFactory = overlay === 'partialView' ? partialView() : fullMesh();
  const signatures = signed === true ? { identity } : undefined;
  const gossip = createGossip({ transport, peers, overlay: overlayFactory, signatures });
  try {
    // Peers dial their seeds again and again without an error, so the first dial is done here: it
    // says why the node can't be joined.
    await transport.dial(address, { signal: terminal.interrupted }).catch((error) => {
      throw explainSecurity(explain(error, 'peers'), settings);
    });
    if (local !== undefined) await transport.listen();
    await peers.start();
    await gossip.start();
    await peers.ready({ timeout, signal: terminal.interrupted });
    const topic = checked(() => gossip.topic(name, codecOf(codec)));
    await meet(topic, overlay === 'fullMesh', transport, peers, terminal);
    await Promise.race([
      use(topic, timeout),
      follow(peers, key, command, terminal),
      warnOfSignatures(gossip, signed === true, command, terminal),
    ]);
  } finally {
    await gossip.close();
    await peers.close();
    await transport.close();
  }
}

/**
 * Reports when this node is alone, and when it has peers again. Rejects if another process has
 * joined with the same key, because nodes then disconnect this one.
 */
async function follow(
  peers: Peers,
  key: string | undefined,
  command: Command,
  terminal: CliTerminal,
): Promise<void> {
  let isAlone = false;
  for await (const event of peers.events()) {
    if (event.type === 'down' && event.cause.reason === 'duplicate')
      throw new TransportError(
        'failed_precondition',
        `another process has joined the network with the same key${key === undefined ? '' : `, ${key}`}; make a key of its own for each: trunkline cert issue`,
      );
    if (event.type === 'down' && peers.list().length === 0) {
      isAlone = true;
      const text = `no node is connected any more: ${cleanText(event.cause.message)}`;
      say(command, terminal, text, { connected: false, cause: event.cause.message });
    } else if (event.type === 'up' && isAlone) {
      isAlone = false;
      say(command, terminal, 'connected again', { connected: true });
    }
  }
}

/**
 * Reports once if messages are dropped because they are signed, or because they are not. Resolves
 * only when `gossip` closes without a report, because `withTopic` ends when one of its tasks does.
 */
async function warnOfSignatures(
  gossip: Gossip,
  signed: boolean,
  command: Command,
  terminal: CliTerminal,
): Promise<void> {
  for await (const event of gossip.events()) {
    if (event.type !== 'dropped' || event.reason !== (signed ? 'unsigned' : 'unverified')) continue;
    const text = signed
      ? 'messages are dropped, because they are not signed: leave out --signed'
      : 'messages are dropped, because they are signed: add --signed';
    say(command, terminal, text, { dropped: event.reason });
    return new Promise(() => {});
  }
}

/**
 * Connects to the nodes that the network knows: on a full mesh to all of them, because messages are
 * not passed on, and on a tree until one of them is on the topic. Ends when no further node became
 * known for a second. Rejects when the user interrupts the command.
 */
async function meet(
  topic: Topic<unknown>,
  isMesh: boolean,
  transport: AnyTransport,
  peers: Peers,
  { clock, interrupted }: CliTerminal,
): Promise<void> {
  const met = new Set<string>();
  let last = clock.now();
  while (clock.now() - last < QUIET && (isMesh || topic.neighbors.length === 0)) {
    const next = peers.known(MOST_KNOWN).filter((nodeId) => !met.has(nodeId));
    await Promise.all(
      next.map((nodeId) => {
        met.add(nodeId);
        return transport.dial(`node:${nodeId}`, { signal: interrupted }).catch(() => {});
      }),
    );
    if (next.length > 0) last = clock.now();
    await clock.sleep(20, interrupted);
  }
}

/** Milliseconds in which a node answers with the addresses that it knows. */
const QUIET = 1_000;
/** The maximum that `peers.known` returns. */
const MOST_KNOWN = 250;

/**
 * Returns the address, with port 0, from which this machine reaches another address. Undefined if
 * the host is not known: dialing it says so.
 */
async function addressToward(address: string): Promise<string | undefined> {
  const { scheme = 'tcp', rest } = splitScheme(parseTarget(address).address);
  const { hostname } = new URL(`http://${rest}`);
  // Connecting a UDP socket sends nothing; it only chooses the route.
  const found = await lookup(hostname.replace(/^\[|\]$/g, '')).catch(() => undefined);
  if (found === undefined) return undefined;
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(1, found.address);
    await once(socket, 'connect');
    return `${scheme}://${formatHostPort(socket.address().address, 0)}`;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

function codecOf(name: string): Codec<unknown> {
  return name === 'json' ? json(z.json()) : base64;
}

/** Bytes as base64, under the name that the codec `bytes` has at other nodes. */
const base64: Codec<unknown> = {
  name: 'bytes',
  encode(value) {
    if (typeof value !== 'string') throw new UsageError('expected bytes as base64 in a string');
    return bytes.encode(Buffer.from(value, 'base64'));
  },
  decode: (encoded) => Buffer.from(encoded).toString('base64'),
};

/** The protocol of the node that joins; it has no methods, and no other node speaks it. */
const memberProtocol = defineProjectProtocol({
  name: 'trunkline.cli',
  version: 1,
  channel: 0x0f,
  methods: {},
});
