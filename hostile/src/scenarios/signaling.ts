// Attacks on signaling hubs, and on the nodes behind them.

import { createIdentity, type Identity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import {
  createHubSignal,
  createSignalHub,
  type HubSignal,
  type SignalHub,
  type SignalHubOptions,
  signalingProtocol,
} from '@trunkline/transport-webrtc/signaling';
import { HubClient, Signaling } from '../hub-client.ts';
import { type Finding, inTurn, type Scenario, type ScenarioRun } from '../scenario.ts';
import { attempts, found, OFFER, webRtcNode } from '../webrtc-nodes.ts';
import { text } from '../wire.ts';
import { wampRouters } from './wamp-routers.ts';

export const signaling: readonly Scenario[] = [
  {
    name: 'hub-relays',
    title: 'holds all relayed streams of a hub with sixteen free ids at one address',
    cases: [],
    carrier: 'signaling',
    async run(run) {
      const { port, hub, node } = await startHub(run, { relay: {} });
      const ids = await crowd(run, port, 16, ['127.0.0.2']);
      await Promise.all(
        ids.flatMap((id, at) =>
          [1, 1, 2, 2].map((step) => id.open(Signaling.relay, ids[(at + step) % 16]!.nodeId)),
        ),
      );
      const taken = hub.snapshot().relays;
      const honest = await attempts(8, async () => {
        const [ada, bob] = [node(), node()];
        await bob.relay!.listen((stream) => stream.attach(SILENT));
        await bob.listen(() => {});
        const stream = await ada.relay!.dial(bob.nodeId, { timeout: TIME, nodeId: bob.nodeId });
        stream.attach(SILENT);
      });
      return found(`${taken} streams`, honest, taken >= 64 ? [] : [`it held only ${taken}`]);
    },
  },
  inTurn(
    [
      {
        name: 'hub-sessions-sources',
        title: 'fills the accepted sessions of a node with free ids at two addresses',
        cases: [147],
        carrier: 'signaling',
        run: (run) => fillSessions(run, ['127.0.0.2', '127.0.0.3'], 8, 8, 0),
      },
      {
        name: 'hub-sessions-silent',
        title:
          'fills the accepted sessions of a node without an offer, from the address of honest nodes',
        cases: [147],
        carrier: 'signaling',
        run: (run) => fillSessions(run, ['127.0.0.1'], 64, 1, 1_100),
      },
    ],
    {
      name: 'hub-sessions',
      title: 'fills the accepted sessions of a node with free ids at one or two addresses',
    },
  ),
  {
    name: 'webrtc-offers',
    title: 'makes 80 offers to a node whose channels never open',
    cases: [148],
    carrier: 'signaling',
    async run(run) {
      const { port, node } = await startHub(run, {});
      const victim = webRtcNode(run, node);
      await victim.transport.listen();
      const ids = await crowd(run, port, 20, ['127.0.0.2']);
      const offer = async (id: HubClient) => {
        const session = await id.open(Signaling.open, victim.id);
        id.send(session, text(JSON.stringify({ type: 'offer', sdp: OFFER, timeout: 5_000 })));
        return session;
      };
      await Promise.all(
        ids.map(async (id) => {
          for (let at = 0; at < 3; at++) {
            const session = await offer(id);
            await id.answered(session, 2);
            id.end(session); // after the answer, so the handshake goes on without the session
          }
          await offer(id); // some of these wait for their turn
        }),
      );
      await ids[0]!.connection.settled();
      const { handshakes } = victim.transport.snapshot();
      const honest = await attempts(4, async () => {
        const { transport } = webRtcNode(run, node);
        await transport.dial(`webrtc://${victim.id}`);
      });
      return found(
        `${handshakes} handshakes`,
        honest,
        handshakes >= 64 ? [] : [`it held only ${handshakes} handshakes`],
      );
    },
  },
  {
    name: 'hub-slow-readers',
    title: 'fills relayed streams with bytes that its other ends never read',
    cases: [147],
    carrier: 'signaling',
    async run(run) {
      const { port, hub, node, memory } = await startHub(run, { relay: {} });
      const ids = await crowd(run, port, 32, ['127.0.0.2']);
      const [writers, readers] = [ids.slice(0, 16), ids.slice(16)];
      let most = 0;
      const flaws: string[] = [];
      const warn = ({ message }: Error) => void flaws.push(message);
      process.on('warning', warn);
      run.own(warn, (owned) => process.off('warning', owned));
      await Promise.all(
        writers.map(async (writer, at) => {
          for (const step of [0, 0, 1, 1])
            writer.pour(await writer.open(Signaling.relay, readers[(at + step) % 16]!.nodeId));
        }),
      );
      const { relays } = hub.snapshot();
      for (const { connection } of readers) connection.socket.pause();
      for (const end = performance.now() + run.duration; performance.now() < end; ) {
        most = Math.max(most, memory());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const honest = await attempts(8, async () => {
        const [ada, bob] = [node(), node()];
        await bob.relay!.listen((stream) =>
          stream.attach({ ...SILENT, data: (chunk) => void stream.write(chunk.slice()) }),
        );
        await bob.listen(() => {});
        const stream = await ada.relay!.dial(bob.nodeId, { timeout: TIME, nodeId: bob.nodeId });
        await new Promise<void>((resolve, reject) => {
          stream.attach({ ...SILENT, data: () => resolve(), closed: (error) => reject(error) });
          stream.write(text('hello'));
        });
        most = Math.max(most, memory());
      });
      if (relays < 64) flaws.push(`it held only ${relays}`);
      return {
        ...found(`${relays} streams`, honest, flaws),
        // The credit of 32 connections, in both directions.
        growth: { bytes: most, bound: 32 * 2 * 256 * 1024 },
      };
    },
  },
  ...wampRouters,
];

/** Fills the 64 sessions that a node accepts, and then opens honest ones. */
async function fillSessions(
  run: ScenarioRun,
  sources: readonly string[],
  count: number,
  each: number,
  pause: number,
): Promise<Finding> {
  const { port, hub, node } = await startHub(run, { limits: { ratePerSource: 100 } });
  const bob = node();
  await bob.listen((session) =>
    session.attach({
      message: (message) => {
        if ((message as { type: string }).type === 'offer')
          session.send({ type: 'answer', sdp: 'v=0' });
      },
      closed() {},
    }),
  );
  const ids = await crowd(run, port, count, sources);
  await Promise.all(
    ids.flatMap((id) =>
      Array.from({ length: each }, async () => {
        const session = await id.open(Signaling.open, bob.nodeId);
        id.send(session, text(JSON.stringify({ type: 'candidate', candidate: '' })));
      }),
    ),
  );
  const taken = hub.snapshot().sessions;
  await new Promise((resolve) => setTimeout(resolve, pause));
  const honest = await attempts(8, async () => {
    const session = await node().open(bob.nodeId, { timeout: TIME });
    const answered = new Promise((resolve, reject) =>
      session.attach({ message: resolve, closed: reject }),
    );
    session.send({ type: 'offer', sdp: 'v=0' });
    await answered;
  });
  return found(`${taken} sessions`, honest, taken >= 64 ? [] : [`it held only ${taken}`]);
}

/** A hub on TCP, and honest nodes of it. */
async function startHub(
  run: ScenarioRun,
  options: Omit<SignalHubOptions, 'transport'>,
): Promise<{
  port: number;
  hub: SignalHub;
  node(identity?: Identity): HubSignal;
  /** The bytes that the hub holds. */
  memory(): number;
}> {
  const transport = run.own(
    createTransport('tcp://127.0.0.1:0', { protocol: signalingProtocol, backends: [tcp()] }),
    (owned) => owned.close(),
  );
  const hub = createSignalHub({ ...options, transport });
  await transport.listen();
  const address = transport.localAddr();
  return {
    port: Number(address.slice(address.lastIndexOf(':') + 1)),
    hub,
    memory: () => transport.snapshot().memory,
    node: (identity = createIdentity()) =>
      run.own(
        createHubSignal({
          address,
          backends: [tcp()],
          identity,
          relay: options.relay !== undefined,
        }),
        (owned) => owned.close(),
      ),
  };
}

/** Registers free ids, spread over the addresses. */
async function crowd(
  run: ScenarioRun,
  port: number,
  count: number,
  sources: readonly string[],
): Promise<HubClient[]> {
  const ids = await Promise.all(
    Array.from({ length: count }, (_, at) =>
      HubClient.register(port, sources[at % sources.length]!),
    ),
  );
  for (const id of ids) run.own(id, (owned) => owned.connection.destroy());
  return ids;
}

/** The time of an honest attempt, in milliseconds. */
const TIME = 20_000;
const SILENT = { data() {}, frames() {}, drained() {}, closed() {} };
