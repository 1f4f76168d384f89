// Attacks by a crowd that watches the health of a node.

import { drain, healthProtocol, serveHealth } from '@trunkline/resilience/health';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { AttackerConnection } from '../attacker-connection.ts';
import { NO_KEYS } from '../carriers.ts';
import { echoProtocol as protocol } from '../echo-protocol.ts';
import type { Finding, Scenario } from '../scenario.ts';
import { concat, frame, Kind, text } from '../wire.ts';

export const watchers: readonly Scenario[] = [
  {
    name: 'health-watchers',
    title: 'is a crowd that watches the health of a node on all streams, and partly does not read',
    cases: [],
    carrier: 'health',
    async run(run): Promise<Finding> {
      const victim = run.own(
        createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] }),
        (each) => each.close(),
      );
      serve(victim, { echo: (request) => request });
      const health = serveHealth(victim);
      await victim.listen();
      const address = victim.localAddr();
      const client = run.own(
        createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] }),
        (each) => each.close(),
      );
      const seen: string[] = [];
      const watch = client.mount(healthProtocol).send(address, 'watch', 'orders');
      const watching = (async () => {
        for await (const status of watch) seen.push(status);
      })().catch((error: Error) => void seen.push(error.message));

      const port = Number(address.split(':').at(-1));
      const size = run.isShort ? 40 : 200;
      let refused = 0;
      const crowd: AttackerConnection[] = [];
      run.own(crowd, (all) => {
        for (const each of all) each.destroy();
      });
      while (crowd.length < size) {
        const attacker = await AttackerConnection.admitted(
          { carrier: 'tcp', host: '127.0.0.1', port, ...NO_KEYS },
          { protocols: [HEALTH] },
        );
        crowd.push(attacker);
        const watches: Uint8Array[] = [];
        for (let i = 0; i < STREAMS; i++)
          watches.push(frame({ ...WATCH, id: 2 * i + 1, payload: text('orders') }));
        await attacker.push(concat(...watches));
        await attacker.settled();
        refused += attacker.count(Kind.error);
        if (crowd.length % 4 === 0) attacker.socket.pause();
      }

      let succeeded = 0;
      for (let call = 0; call < CALLS; call++) {
        health.set('orders', call % 2 === 0 ? 'serving' : 'not_serving');
        await client.send(address, 'echo', Uint8Array.of(call), { timeout: 10_000 }).then(
          () => succeeded++,
          () => {},
        );
      }
      const begin = performance.now();
      await drain(victim, { grace: GRACE });
      const took = performance.now() - begin;
      await watching;
      return {
        answer: `${refused} of ${size * STREAMS} watches refused`,
        honest: { succeeded, of: CALLS },
        flaws: [
          ...(took < GRACE + 1_000 ? [] : [`drain takes ${took.toFixed(0)} ms`]),
          ...(seen.at(-1) === 'not_serving' ? [] : [`the honest watcher saw last: ${seen.at(-1)}`]),
          ...(refused >= size * (STREAMS - MOST_STREAMS)
            ? []
            : [`${size * STREAMS - refused} watches are open`]),
        ],
      };
    },
  },
];

const HEALTH = { name: 'trunkline.health', version: 1, channel: 4 };
const WATCH = { kind: Kind.request, channel: HEALTH.channel, method: 2, flags: 2 };
/** The watches that each attacker opens, and the streams that the victim allows a connection. */
const STREAMS = 200;
const MOST_STREAMS = 128;
const CALLS = 20;
const GRACE = 2_000;
