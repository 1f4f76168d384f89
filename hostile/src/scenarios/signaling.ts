// Attacks on signaling hubs, and on the nodes behind them.

import { createIdentity } from '@trunkline/security';
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
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';

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
  {
    name: 'hub-sessions-sources',
    title: 'fills the accepted sessions of a node with free ids at two addresses',
    cases: [],
    carrier: 'signaling',
    run: (run) => fillSessions(run, ['127.0.0.2', '127.0.0.3'], 8, 8, 0),
  },
  {
    name: 'hub-sessions-silent',
    title:
      'fills the accepted sessions of a node without an offer, from the address of honest nodes',
    cases: [],
    carrier: 'signaling',
    run: (run) => fillSessions(run, ['127.0.0.1'], 64, 1, 1_100),
  },
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
      message: () => session.send({ type: 'answer', sdp: 'v=0' }),
      closed() {},
    }),
  );
  const ids = await crowd(run, port, count, sources);
  await Promise.all(
    ids.flatMap((id) => Array.from({ length: each }, () => id.open(Signaling.open, bob.nodeId))),
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
): Promise<{ port: number; hub: SignalHub; node(): HubSignal }> {
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
    node: () =>
      run.own(
        createHubSignal({
          address,
          backends: [tcp()],
          identity: createIdentity(),
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

async function attempts(
  of: number,
  attempt: () => Promise<void>,
): Promise<Required<Finding>['honest'] & { reason: string }> {
  let succeeded = 0;
  let reason = '';
  for (let at = 0; at < of; at++)
    await attempt().then(
      () => succeeded++,
      (error) => (reason = String(error?.message ?? error)),
    );
  return { succeeded, of, reason };
}

function found(
  answer: string,
  { succeeded, of, reason }: Awaited<ReturnType<typeof attempts>>,
  flaws: readonly string[],
): Finding {
  return { answer, honest: { succeeded, of }, flaws: reason === '' ? flaws : [...flaws, reason] };
}

/** The time of an honest attempt, in milliseconds. */
const TIME = 5_000;
const SILENT = { data() {}, frames() {}, drained() {}, closed() {} };
