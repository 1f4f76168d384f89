// trunkline pub and sub: join the network as a node, and publish or read messages on a topic.

import { Buffer } from 'node:buffer';
import { createGossip, fullMesh, type Gossip, partialView } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createIdentity, verifySignature } from '@trunkline/security';
import { loadIdentity } from '@trunkline/security/node';
import { bytes, type Codec, createTransport, json } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import { type Command, Option } from 'commander';
import * as z from 'zod/mini';
import { UsageError } from '../exit-codes.ts';
import { backendsOf, explain, explainSecurity, readSettings } from '../node.ts';
import { toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount } from '../time.ts';
import { parseJson, readLines } from '../values.ts';

interface GossipOptions {
  readonly overlay: string;
  readonly codec: string;
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
      );
  options(
    program
      .command('pub')
      .summary('publish messages on a topic')
      .description(
        'Joins the network as a node, with the node at --address as its seed, and publishes a message, or one for each line of the standard input.',
      )
      .argument('<topic>', 'the name of the topic')
      .argument('[message]', 'the message; default: the lines of the standard input'),
  )
    .option('--min <number>', 'wait until this many nodes have confirmed each message', '1')
    .action(
      async (topic: string, message: string | undefined, given: GossipOptions, command: Command) =>
        withGossip(command, terminal, given, async (gossip) => {
          const min = parseCount(given.min ?? '1', '--min', 0);
          const handle = gossip.topic(topic, codecOf(given.codec));
          const { timeout } = await readSettings(command.optsWithGlobals(), terminal);
          const messages =
            message === undefined
              ? readLines(undefined, terminal)
              : [parseJson(message, 'the message')];
          let count = 0;
          for await (const each of messages) {
            await handle.publish(each, { min, timeout });
            count++;
          }
          terminal.err(`published ${count}\n`);
        }),
    );
  options(
    program
      .command('sub')
      .summary('read the messages of a topic')
      .description(
        'Joins the network as a node, with the node at --address as its seed, and prints each message of a topic as a line, until you interrupt it. With --json, each line has the publisher and the id of the message, too.',
      )
      .argument('<topic>', 'the name of the topic'),
  )
    .option('--count <number>', 'stop after this many messages')
    .action(async (topic: string, given: GossipOptions, command: Command) =>
      withGossip(command, terminal, given, async (gossip) => {
        let left =
          given.count === undefined ? Number.POSITIVE_INFINITY : parseCount(given.count, '--count');
        const isJson = command.optsWithGlobals()['json'] === true;
        const handle = gossip.topic(topic, codecOf(given.codec));
        const messages = handle.messages();
        const end = () => void messages.return?.();
        terminal.interrupted.addEventListener('abort', end, { once: true });
        terminal.err(`reading ${topic}\n`);
        for await (const { message, meta } of messages) {
          const { origin, id, hops } = meta;
          await terminal.out(`${toJson(isJson ? { message, origin, id, hops } : message)}\n`);
          if (--left <= 0) break;
        }
      }),
    );
}

/** Joins the network as a node with gossip, runs a function with it, and leaves the network. */
async function withGossip(
  command: Command,
  terminal: CliTerminal,
  { overlay }: GossipOptions,
  use: (gossip: Gossip) => Promise<void>,
): Promise<void> {
  const settings = await readSettings(command.optsWithGlobals(), terminal);
  const { address, key, network, token, timeout } = settings;
  if (address === undefined)
    throw new UsageError(
      'which node? Give --address, set TRUNKLINE_ADDRESS, or save one with: trunkline context add',
    );
  const transport = createTransport({
    protocol: memberProtocol,
    backends: await backendsOf(settings),
    network,
    dialTimeout: Math.min(timeout, 3_000),
    hello: token === undefined ? undefined : { token },
  });
  const identity = key === undefined ? createIdentity() : await loadIdentity(key);
  const peers = createPeers({ transport, seeds: [address], identity });
  const gossip = createGossip({
    transport,
    peers,
    overlay: overlay === 'partialView' ? partialView() : fullMesh(),
    signatures: { verify: verifySignature },
  });
  try {
    // Peers dial their seeds again and again without an error, so the first dial is done here: it
    // says why the node can't be joined.
    await transport.dial(address, { signal: terminal.interrupted }).catch((error) => {
      throw explainSecurity(explain(error, 'peers'), settings);
    });
    await peers.start();
    await gossip.start();
    await peers.ready({ timeout, signal: terminal.interrupted });
    await use(gossip);
  } finally {
    await gossip.close();
    await peers.close();
    await transport.close();
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
