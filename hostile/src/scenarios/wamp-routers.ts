// Attacks by a client of a WAMP router on a node that signals over it.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import type { Identity } from '@trunkline/security';
import type { Observer } from '@trunkline/transport-core';
import { createWampSignal } from '@trunkline/transport-webrtc/wamp';
import type { Scenario, ScenarioRun } from '../scenario.ts';
import { HostileWampClient } from '../wamp-client.ts';
import { attempts, found, OFFER, webRtcNode } from '../webrtc-nodes.ts';

export const wampRouters: readonly Scenario[] = [
  {
    name: 'wamp-offers',
    title: 'makes 80 offers over a WAMP router whose channels never open',
    cases: [148],
    carrier: 'signaling',
    async run(run) {
      const { port, node } = await startRouter(run);
      const victim = node();
      await victim.transport.listen();
      const attacker = run.own(await HostileWampClient.join(port), ({ socket }) =>
        socket.destroy(),
      );
      const offer = JSON.stringify({ type: 'offer', sdp: OFFER, timeout: 5_000 });
      for (let at = 0; at < 80; at++) attacker.call(victim.id, [`stranger-${at}`, offer]);
      await attacker.answered(64);
      const { handshakes } = victim.transport.snapshot();
      const honest = await attempts(4, async () => {
        await node().transport.dial(`webrtc://${victim.id}`);
      });
      return found(
        `${handshakes} handshakes`,
        honest,
        handshakes >= 64 ? [] : [`it held only ${handshakes} handshakes`],
      );
    },
  },
  {
    name: 'wamp-garbage',
    title: 'calls a node over a WAMP router with ids and offers that are none',
    cases: [149],
    carrier: 'signaling',
    async run(run) {
      const { port, node } = await startRouter(run);
      const texts: string[] = [];
      const victim = node({
        event: (event) => {
          if (event.type === 'rejected') texts.push(event.endpoint, event.error.message);
        },
      });
      await victim.transport.listen();
      const attacker = run.own(await HostileWampClient.join(port), ({ socket }) =>
        socket.destroy(),
      );
      const calls = FROMS.flatMap((from) => OFFERS.map((offer) => [from, offer]));
      for (const args of calls) attacker.call(victim.id, args);
      await attacker.answered(calls.length);
      const honest = await attempts(4, async () => {
        await node().transport.dial(`webrtc://${victim.id}`);
      });
      const flaws: string[] = [];
      if (attacker.results > 0) flaws.push(`${attacker.results} calls were answered`);
      const raw = texts.find((text) => /[\p{Cc}\u202e]/u.test(text));
      if (raw !== undefined) flaws.push(`a text is raw: ${JSON.stringify(raw.slice(0, 60))}`);
      const longest = Math.max(0, ...texts.map(({ length }) => length));
      if (longest > 1_024) flaws.push(`a text has ${longest} characters`);
      return found(`${attacker.errors} refusals`, honest, flaws);
    },
  },
];

const deep = '['.repeat(50_000);
const FROMS = [
  null,
  7,
  {},
  ['a'],
  '',
  'stranger',
  '\u001b[31mred\nline\u202e',
  'x'.repeat(60_000),
  '__proto__',
] as const;
const OFFERS = [
  undefined,
  null,
  3,
  [],
  '',
  'nonsense',
  deep,
  '{"__proto__":{"type":"offer"}}',
  JSON.stringify({ type: 'answer', sdp: OFFER }),
  JSON.stringify({ type: 'offer', sdp: 'v=0\u001b[31m\r\n' }),
  JSON.stringify({ type: 'offer', sdp: 'x'.repeat(60_000) }),
  JSON.stringify({ type: 'offer', sdp: OFFER, timeout: -1 }),
] as const;

/** A router, and honest nodes that signal over it. */
async function startRouter(run: ScenarioRun) {
  const Router = createRequire(import.meta.url)('fox-wamp') as {
    new (): { listenWAMP(options: { host: string; port: number }): Server };
  };
  const server = new Router().listenWAMP({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  run.own(server, (owned) => owned.close());
  const { port } = server.address() as AddressInfo;
  const signalOf = ({ nodeId }: Identity) =>
    run.own(
      createWampSignal({ address: `ws://127.0.0.1:${port}/`, nodeId, timeout: 20_000 }),
      (owned) => owned.close(),
    );
  return { port, node: (observer?: Observer) => webRtcNode(run, signalOf, observer) };
}
