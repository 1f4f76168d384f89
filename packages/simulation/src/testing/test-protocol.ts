// A protocol with every kind of call, and a node that serves it, for the tests of the simulation.

import {
  bytes,
  type CallOptions,
  type Codec,
  type CommonOptions,
  defineProtocol,
  type Handlers,
  type Protocol,
  serve,
  type Target,
  type Transport,
  type TransportError,
} from '@trunkline/transport-core';
import {
  createSimulation,
  type LinkOptions,
  type NodeContext,
  type NodeSetup,
  type Simulation,
  type SimulationLevel,
} from '../index.ts';

/** Encodes text as UTF-8. */
export const text: Codec<string> = {
  name: 'text',
  encode: (value) => new TextEncoder().encode(value),
  decode: (value) => new TextDecoder().decode(value),
};

export const testProtocol = defineProtocol({
  name: 'lab',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: text, response: text },
    hint: { id: 2, request: text },
    collect: { id: 3, request: text, upload: text, response: text },
    feed: { id: 4, request: text, download: text },
    mirror: { id: 5, request: text, upload: text, download: text },
    copy: { id: 6, request: bytes, response: bytes },
    note: { id: 7, request: bytes },
  },
});

export type TestTransport = Transport<typeof testProtocol>;
export type TestTransportOptions = Omit<CommonOptions, 'clock' | 'random'>;

/**
 * Starts a transport of the test protocol that listens and serves every method; `heard` receives
 * the hints.
 */
export async function startTransport(
  { transport }: NodeContext,
  heard: (hint: string) => void = () => {},
  options: TestTransportOptions = {},
): Promise<TestTransport> {
  const node = transport(testProtocol, options);
  await node.listen();
  serve(node, {
    echo: (request) => request,
    hint: (request) => heard(request),
    async collect(request, { upload }) {
      const items: string[] = [];
      for await (const item of upload) items.push(item);
      return `${request}:${items.join(',')}`;
    },
    async feed(request, rpc) {
      const [tag, count] = request.split('*');
      for (let i = 0; i < Number(count); i++) await rpc.write(`${tag}${i}`);
    },
    async mirror(request, rpc) {
      for await (const item of rpc.upload) await rpc.write(request + item);
    },
    copy: (request) => request,
    note() {},
  });
  return node;
}

/** Returns a node setup that serves a protocol. */
export function serving<P extends Protocol>(protocol: P, handlers: Handlers<P>): NodeSetup {
  return async ({ transport }) => {
    const node = transport(protocol);
    await node.listen();
    serve(node, handlers);
  };
}

/** Returns a node setup that serves the test protocol. */
export function server(heard?: (hint: string) => void, options?: TestTransportOptions): NodeSetup {
  return async (context) => {
    const node = await startTransport(context, heard, options);
    return () => node.close();
  };
}

/** Yields the items `tag0` to `tag<count − 1>`. */
export async function* items(tag: string, count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) yield `${tag}${i}`;
}

/** Resolves to the outcome of a call: its answer, or the code and reason of its error. */
export function outcome(promise: Promise<string>): Promise<string> {
  return promise.catch(
    (error: TransportError) =>
      `${error.code}${error.reason === undefined ? '' : `/${error.reason}`}`,
  );
}

/** Calls `echo` of a node, and resolves to the outcome. */
export function ask(
  sim: Simulation,
  from: TestTransport,
  to: Target,
  text: string,
  options?: CallOptions,
): Promise<string> {
  return sim.settle(outcome(from.send(to, 'echo', text, options)));
}

/** Resolves to all items of a stream, followed by the code of its error if it failed. */
export async function drain(stream: Promise<AsyncIterable<string>>): Promise<string> {
  const got: string[] = [];
  try {
    for await (const item of await stream) got.push(item);
  } catch (error) {
    got.push((error as TransportError).code);
  }
  return got.join(',');
}

/**
 * Connects a client 'c' to a node 'b' over a good link, and then gives the direction from c to b
 * the settings `link`. `heard` lists the hints that b receives, with their times.
 */
export async function linked(
  link: LinkOptions,
  level: SimulationLevel = 'message',
  seed = 1,
): Promise<{ sim: Simulation; client: TestTransport; heard: [hint: string, at: number][] }> {
  const heard: [string, number][] = [];
  const sim = createSimulation({ seed, level });
  sim.node(
    'b',
    server((hint) => heard.push([hint, sim.now])),
  );
  const client = sim.client(testProtocol, {
    name: 'c',
    maxPool: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    keepAlive: { interval: 1e9 },
  });
  await sim.settle(client.dial('b'));
  await sim.run(100);
  sim.link('c', 'b', link, { direction: 'one-way' });
  return { sim, client, heard };
}
