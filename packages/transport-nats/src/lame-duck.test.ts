// Tests of servers that shut down in lame duck mode while calls run.

import { connect } from '@nats-io/transport-node';
import { type NatsServer, startNatsCluster, startNatsServer } from '@trunkline/local-nats';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import type { Handlers, ObserverEvent, TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { serveNats } from './serve-nats.ts';
import { client, eventually, node, type Options, type TestTransport } from './testing/nodes.ts';
import type { testProtocol } from './testing/protocol.ts';
import { natsTest as test } from './testing/server.ts';

const DUCK = 'lame_duck_grace_period: "4s"\nlame_duck_duration: "30s"';
const HANDLERS: Handlers<typeof testProtocol> = {
  who: () => 'far',
  async *numbers(count) {
    for (let i = 0; i < count; i++) {
      yield i;
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
};

for (const isSecured of [false, true])
  test(`each server of a cluster shuts down in turn, and no call is lost${isSecured ? ', with noise' : ''}`, async (t) => {
    const cluster = await startNatsCluster(3, { config: DUCK });
    t.teardown(() => Promise.all(cluster.map((each) => each.kill())));
    const wrap: Options['wrap'] = isSecured
      ? (backend) => secured(backend, { identity: createIdentity() })
      : undefined;
    const events: ObserverEvent[] = [];
    const observer = { event: (event: ObserverEvent) => void events.push(event) };
    const bindAddr = 'nats://broker/orders';
    // Each end begins at its own server, and learns of the others from it.
    const far = await node(t, { servers: cluster[0]!.address, bindAddr, wrap, observer }, HANDLERS);
    const near = [cluster[0]!, cluster[1]!].map(({ address }) =>
      client(t, { servers: address, wrap }),
    );
    for (const each of near)
      await eventually(() =>
        each.send(bindAddr, 'who', null).then(
          () => true,
          () => false,
        ),
      );
    const calls = begin(t, near, bindAddr);
    for (const index of [0, 1]) {
      await calls.more(500);
      await shutDown(cluster, index);
    }
    await calls.more(500);
    const errors = await calls.end();
    t.deepEqual(
      errors.map(({ message }) => message),
      [],
    );
    t.true(events.every(({ type }) => type !== 'listenFailed'));
    const warnings = events.flatMap((event) =>
      event.type === 'broker' && event.state === 'warning' ? [event] : [],
    );
    t.is(warnings[0]?.server, cluster[0]!.address);
    t.regex(warnings[0]!.error!.message, /shuts down \(lame duck mode\); this node moves/);
    await far.close();
  });

test('the only server shuts down: the node keeps it until it is gone', async (t) => {
  const server = await startNatsServer({ config: DUCK });
  t.teardown(() => server.kill());
  const bindAddr = `nats://${server.address}/orders`;
  await node(t, { bindAddr }, HANDLERS);
  const near = client(t, {});
  const calls = begin(t, [near], bindAddr);
  await calls.more(100);
  const ended = server.lameDuck();
  await calls.more(500);
  t.deepEqual(calls.errors, []);
  await ended;
  await eventually(() => calls.errors.length > 0);
  const again = await startNatsServer({ port: server.port });
  t.teardown(() => again.kill());
  await calls.more(500);
  await calls.end();
});

test('the connection of a plain service only causes an event', async (t) => {
  const cluster = await startNatsCluster(2, { config: DUCK });
  t.teardown(() => Promise.all(cluster.map((each) => each.kill())));
  const events: ObserverEvent[] = [];
  const observer = { event: (event: ObserverEvent) => void events.push(event) };
  const far = await node(t, { servers: cluster[1]!.address, observer });
  const connection = await connect({ servers: cluster[0]!.address });
  t.teardown(() => connection.close());
  serveNats(far, { connection });
  const ended = cluster[0]!.lameDuck();
  await eventually(() => events.some(isWarning));
  const warning = events.find(isWarning);
  t.regex(
    (warning as { error: TransportError }).error.message,
    /^serveNats: the NATS server .* of 'connection' shuts down/,
  );
  await ended;
});

/** Shuts a member of a cluster down, waits until it has ended, and starts it again. */
async function shutDown(cluster: NatsServer[], index: number): Promise<void> {
  const { port } = cluster[index]!;
  await cluster[index]!.lameDuck();
  await cluster[index]!.kill();
  const routes = cluster.flatMap(({ route }, at) => (at === index ? [] : [route!]));
  const again = await startNatsServer({ port, routes, config: DUCK });
  cluster[index] = again;
}

/** Calls without a pause, until `end`: unary calls and downloads. */
function begin(t: ExecutionContext, near: readonly TestTransport[], target: string) {
  const errors: TransportError[] = [];
  let answered = 0;
  let isOver = false;
  const options = { timeout: 60_000 };
  const unary = async (from: TestTransport) => void (await from.send(target, 'who', null, options));
  const download = async (from: TestTransport) => {
    let sum = 0;
    for await (const each of await from.send(target, 'numbers', 20, options)) sum += each;
    if (sum !== 190) throw new TypeError(`the items add up to ${sum}`);
  };
  const caller = async (call: () => Promise<void>) => {
    while (!isOver) {
      await call().then(
        () => answered++,
        (error) => errors.push(error),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  t.teardown(() => (isOver = true));
  const callers = near.flatMap((from) =>
    [unary, unary, download, download].map((call) => caller(() => call(from))),
  );
  return {
    errors,
    /** Resolves when so many more calls have succeeded. */
    more: (count: number) => {
      const least = answered + count;
      return eventually(() => answered >= least);
    },
    end: async () => {
      isOver = true;
      await Promise.all(callers);
      return errors;
    },
  };
}

function isWarning(event: ObserverEvent): boolean {
  return event.type === 'broker' && event.state === 'warning';
}
