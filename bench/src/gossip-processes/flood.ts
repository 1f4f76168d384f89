// A naive flood directly over Trunkline's transport: a process that gets a message for the first
// time forwards it over all its other links.

import {
  bytes,
  createTransport,
  defineProtocol,
  type Remote,
  serve,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Kind } from './kind.ts';
import { randomLinks } from './links.ts';
import { readMessage } from './stage.ts';

const protocol = defineProtocol({
  name: 'bench-flood',
  version: 1,
  channel: 0x20,
  methods: { push: { id: 1, request: bytes } },
});

export const flood: Kind = {
  plan: (nodes) => randomLinks(nodes, DEGREE),
  isReady: (links, plan) =>
    links.every(
      (count, at) => count === plan[at]!.length + plan.filter((dials) => dials.includes(at)).length,
    ),

  async open({ dials }, received) {
    const seen = new Set<number>();
    let copies = 0;
    const transport = createTransport('tcp://127.0.0.1:0', {
      protocol,
      maxPool: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      backends: [tcp()],
    });
    serve(transport, {
      push(message, { from }) {
        copies++;
        const { sequence } = readMessage(message);
        if (seen.has(sequence)) return;
        seen.add(sequence);
        pass(message, from);
        received(message);
      },
    });
    await transport.listen();
    for (const address of dials) await transport.dial(address);

    /**
     * Forwards a message. A link without credit gets it as soon as there is some: nothing is
     * dropped, and nothing is bounded.
     */
    function pass(message: Uint8Array, from?: Remote): Promise<unknown> {
      const others = transport.remotes().filter((remote) => remote !== from);
      const went = transport.trySendAll(others, 'push', message);
      const late = others
        .filter((_, at) => !went[at])
        .map((remote) => transport.send(remote, 'push', message));
      return Promise.allSettled(late);
    }

    return {
      address: transport.localAddr(),
      links: () => transport.remotes().length,
      publish(message) {
        seen.add(readMessage(message).sequence);
        void pass(message);
      },
      traffic: () => ({
        copies,
        bytes: transport.snapshot().connections.reduce((sum, { bytes }) => sum + bytes.out, 0),
      }),
      close: () => transport.close(),
    };
  },
};

/** The number of links that HyParView keeps by default. */
const DEGREE = 5;
