// The benchmark of resilience: unary calls in memory with a balancer, retries and a circuit
// breaker, as a ratio to the same calls without them, in the same rounds.

import { parseArgs } from 'node:util';
import {
  createBalancer,
  createCircuitBreaker,
  createRetries,
  createStaticResolver,
  leastLoaded,
  roundRobin,
} from '@trunkline/resilience';
import {
  bytes,
  type ClientInterceptor,
  createTransport,
  defineProtocol,
  serve,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { positive } from './arguments.ts';
import { median } from './statistics.ts';
import { round3 } from './table.ts';

const USAGE = `usage: node bench/dist/resilience.js [options]

  --rounds <n>    number of rounds of all variants (default: 7)
  --window <ms>   duration of a measurement in milliseconds (default: 1000)
  --help          prints this text`;

const echo = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const SERVERS = 3;
const IN_FLIGHT = 128;

try {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      window: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else await bench(positive('rounds', values.rounds, 7), positive('window', values.window, 1_000));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function bench(rounds: number, window: number): Promise<void> {
  const names = Array.from({ length: SERVERS }, (_, n) => `inmem://bench-${n}`);
  const backends = [inmem()];
  const servers = names.map((name) => createTransport(name, { protocol: echo, backends }));
  for (const server of servers) {
    serve(server, { echo: (request) => request });
    await server.listen();
  }
  const rates = new Map<string, number[]>();
  const variants = variantsOf(names);
  for (let round = -1; round < rounds; round++) {
    for (const [name, interceptors] of Object.entries(variants)) {
      const rate = await measure(backends, interceptors, names, window);
      // The first round compiles the code.
      if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
    }
  }
  for (const server of servers) await server.close();
  const bare = rates.get('without')!;
  console.log(
    `Node ${process.versions.node}: ${IN_FLIGHT} calls of 64 bytes in flight to ${SERVERS} servers in the same process; medians of ${rounds} rounds of ${window} ms\n`,
  );
  for (const [name, list] of rates) {
    const ratio = median(list.map((rate, round) => rate / bare[round]!));
    const added = median(list.map((rate, round) => 1e9 / rate - 1e9 / bare[round]!));
    console.log(
      `${name.padEnd(40)} ${round3(median(list)).padStart(10)} calls/s  ${ratio.toFixed(2)} of without  ${Math.round(added).toString().padStart(6)} ns a call`,
    );
  }
}

/** Returns the interceptors to measure, by name; undefined calls the servers in turn by address. */
function variantsOf(names: readonly string[]): Record<string, ClientInterceptor[] | undefined> {
  const resolver = createStaticResolver({ echo: names });
  const pass: ClientInterceptor = (next) => (call) => next(call);
  const retries = () => createRetries().interceptor;
  const balancer = (policy = leastLoaded()) =>
    createBalancer({ resolve: resolver, policy }).interceptor;
  return {
    without: undefined,
    'an interceptor that does nothing': [pass],
    retries: [retries()],
    'balancer, round-robin': [balancer(roundRobin())],
    'balancer, least-loaded': [balancer()],
    'retries and balancer': [retries(), balancer()],
    'retries, balancer and circuit breaker': [
      retries(),
      balancer(),
      createCircuitBreaker().interceptor,
    ],
    'retries with hedging, and balancer': [
      createRetries({ methods: { '*': { idempotent: true, hedgeDelay: 1_000 } } }).interceptor,
      balancer(),
    ],
  };
}

/** Returns the calls a second. */
async function measure(
  backends: ReturnType<typeof inmem>[],
  interceptors: ClientInterceptor[] | undefined,
  names: readonly string[],
  window: number,
): Promise<number> {
  const client = createTransport({
    protocol: echo,
    backends,
    interceptors: interceptors && { client: interceptors },
  });
  const isNamed = interceptors !== undefined && interceptors.length > 0;
  const target = (n: number) => names[n % names.length]!;
  const isBalanced = isNamed && (await usesNames(client));
  const payload = new Uint8Array(64);
  let calls = 0;
  let isOver = false;
  const begin = performance.now();
  const loop = async (n: number) => {
    while (!isOver) {
      await client.send(isBalanced ? 'echo' : target(n + calls), 'echo', payload);
      calls++;
      if ((calls & 0xff) === 0 && performance.now() - begin >= window) isOver = true;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => loop(n)));
  const rate = (calls / (performance.now() - begin)) * 1_000;
  await client.close();
  return rate;
}

/** Whether the interceptors of a client resolve names. */
async function usesNames(client: {
  send(target: string, method: 'echo', request: Uint8Array): Promise<unknown>;
}): Promise<boolean> {
  return client.send('echo', 'echo', new Uint8Array(1)).then(
    () => true,
    () => false,
  );
}
