// A worker of a cluster. If it is told to lie, the worker of the last slot serves nobody: it sends
// malformed messages to the primary, by the channel that Node gives it, and does not leave.

import { clusterSlot, joinCluster } from '@trunkline/resilience/cluster';
import { createMetrics } from '@trunkline/telemetry';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { echoProtocol as protocol } from './echo-protocol.ts';

const MALFORMED = [
  0,
  'text',
  [],
  { trunkline: 'cluster' },
  { trunkline: 'cluster', type: '__proto__' },
  { trunkline: 'cluster', type: 'answer' },
  { trunkline: 'cluster', type: 'answer', what: {}, error: {} },
];
const LIE = {
  slot: 0,
  pid: 1,
  connections: 'many',
  transport: { calls: null, errors: [], counters: 7 },
};
const POINTS = [
  {
    name: 'rpc.server.call.duration',
    points: [
      { value: 'forged', attributes: {} },
      { value: 1, attributes: { 'a\nforged': '1' } },
    ],
  },
  null,
  { name: '__proto__', points: [{}] },
];
if (process.argv[2] === 'lie' && clusterSlot() === 2) lie();
else {
  const metrics = createMetrics();
  const { observer } = metrics;
  const address = 'tcp://127.0.0.1:0';
  const transport = createTransport(address, { protocol, backends: [tcp()], observer });
  metrics.watch({ transport });
  serve(transport, { echo: (request) => request });
  await transport.listen();
  joinCluster(transport, { metrics });
}

function lie(): void {
  const tag = { trunkline: 'cluster' };
  const say = (message: object) => process.send?.({ ...tag, ...message });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
  setInterval(() => {}, 60_000);
  for (const message of MALFORMED) process.send?.(message);
  say({ type: 'leaving', grace: 'x' });
  say({ type: 'joined', addresses: { length: 1 } });
  for (const message of MALFORMED) process.send?.(message);
  process.on('message', ({ type, what }: { type?: string; what?: string }) => {
    if (type !== 'ask') return;
    // A wrong answer to each question, and many more.
    say({ type: 'answer', what, value: what === 'snapshot' ? LIE : POINTS });
    for (let i = 0; i < 1_000; i++) say({ type: 'answer', what, value: null });
    // The worker never ends by itself.
    if (what === 'metrics') say({ type: 'leaving', grace: 1e12 });
  });
}
