// Tests the hub and its nodes inside a simulation: crashes and cuts of the hub, and two runs with
// one seed that are identical to the byte.

import { createIdentity } from '@trunkline/security';
import {
  assertDeterministic,
  createSimulation,
  type NodeContext,
  type Simulation,
} from '@trunkline/simulation';
import { type Backend, TransportError } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { SignalMessage } from '../signal.ts';
import { createSignalHub } from './hub.ts';
import { createHubSignal, type HubSignal } from './hub-signal.ts';
import { signalingProtocol } from './protocol.ts';

const OPTIONS = { level: 'stream', link: { latency: [1, 20] } } as const;
const offer: SignalMessage = { type: 'offer', sdp: 'v=0\r\n' };
const answer: SignalMessage = { type: 'answer', sdp: 'v=0\r\nb=1\r\n' };

test.serial('nodes find each other again after a crash of the hub and a cut', async (t) => {
  for (const seed of [1, 2, 3]) {
    const sim = createSimulation({ seed, ...OPTIONS });
    const seen = await story(sim);
    t.deepEqual(await sim.close(), []);
    t.deepEqual([...seen.callers], [seen.ada]);
    t.true(seen.failed > 0, 'nothing was answered while the hub was away');
  }
});

test.serial('a simulation with a hub is deterministic', async (t) => {
  t.regex(await assertDeterministic(story, OPTIONS), /^[0-9a-f]{64}$/);
});

/** Ada opens one session after another to Bob, while the hub crashes and Bob is cut off. */
async function story(sim: Simulation) {
  const seen = { ada: '', callers: new Set<string>(), answers: 0, failed: 0 };
  let bob: HubSignal | undefined;
  sim.node('hub', async ({ transport, random }) => {
    const net = transport(signalingProtocol);
    createSignalHub({ transport: net, random, addresses: ['sim://hub'] });
    await net.listen();
  });
  sim.node('bob', async (context) => {
    const { signal, close } = access(context);
    const listen = () =>
      signal.listen((session) => {
        seen.callers.add(session.peer);
        session.attach({ message: () => session.send(answer), closed() {} });
      });
    while (!(await succeeds(listen()))) await context.clock.sleep(100);
    bob = signal;
    return close;
  });
  sim.node('ada', (context) => {
    const { signal, close } = access(context);
    seen.ada = signal.nodeId;
    const stopping = new AbortController();
    void (async () => {
      while (await succeeds(context.clock.sleep(100, stopping.signal))) {
        if (bob === undefined) continue;
        if (await succeeds(exchange(signal, bob.nodeId))) seen.answers++;
        else seen.failed++;
      }
    })();
    return () => {
      stopping.abort();
      return close();
    };
  });
  const more = async () => {
    const { answers } = seen;
    await sim.until(() => seen.answers >= answers + 3);
  };
  await more();
  sim.crash('hub');
  await sim.run(2_000);
  sim.restart('hub');
  await more();
  sim.cut('bob', 'hub');
  await sim.run(30_000);
  sim.heal();
  await more();
  return seen;
}

/** Opens a session, sends the offer and waits for the answer. */
async function exchange(signal: HubSignal, target: string): Promise<void> {
  const session = await signal.open(target, { timeout: 2_000 });
  await new Promise<void>((resolve, reject) => {
    session.attach({
      message: () => resolve(),
      closed: (error) => reject(error ?? new TransportError('aborted', 'closed')),
    });
    session.send(offer);
  });
  session.close();
}

/** A node's access to the hub over the simulated network, in which addresses have no scheme. */
function access({ transport, clock, random }: NodeContext) {
  let network: StreamLayer | undefined;
  const owner = transport(signalingProtocol, {
    layer(layer) {
      network = layer;
      return layer;
    },
  });
  const sim: Backend = {
    schemes: ['sim'],
    layer: () => ({
      clock,
      dial: (address, options) => network!.dial(address.replace('sim://', ''), options),
      listen: async () => {},
      localAddr: () => 'sim://node',
      advertiseAddr: () => 'sim://node',
      close: async () => {},
    }),
  };
  const identity = createIdentity();
  const signal = createHubSignal({
    address: 'sim://hub',
    identity,
    backends: [sim],
    clock,
    random,
  });
  const close = async () => {
    await signal.close();
    await owner.close();
  };
  return { signal, close };
}

function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
