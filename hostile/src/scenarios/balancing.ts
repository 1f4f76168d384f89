// Attacks by one of the servers behind a balancer, which lies about its load.

import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBalancer, createStaticResolver } from '@trunkline/resilience';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { type Finding, inTurn, type Scenario, type ScenarioRun } from '../scenario.ts';
import { concat, FrameReader, frame, hello, Kind, PREAMBLE } from '../wire.ts';

export const balancing: readonly Scenario[] = [
  inTurn(
    [
      {
        name: 'balancer-fails-fast',
        title: 'is one of ten servers, and fails each call at once to attract more',
        cases: [],
        carrier: 'balancer',
        async run(run): Promise<Finding> {
          const flaws: string[] = [];
          for (const code of FAILURES) {
            const share = await shareOf(run, code);
            // A fair share is a tenth.
            if (share > 0.1)
              flaws.push(
                `with code ${code}, the attacker gets ${Math.round(share * 100)} % of the calls`,
              );
          }
          return { answer: 'at most a fair share', flaws };
        },
      },
      {
        name: 'balancer-answers-fast',
        title:
          'is one of ten servers, and gives a wrong answer or a refusal at once to attract calls',
        cases: [],
        carrier: 'balancer',
        async run(run): Promise<Finding> {
          const flaws: string[] = [];
          for (const code of [0, NOT_FOUND]) {
            const share = await shareOf(run, code);
            // A balancer compares two addresses for each call, and this server is among them in a
            // fifth.
            if (share > 0.3)
              flaws.push(
                `with code ${code}, the attacker gets ${Math.round(share * 100)} % of the calls`,
              );
          }
          return { answer: 'at most twice a fair share', flaws };
        },
      },
    ],
    {
      name: 'balancer-lies',
      title: 'is one of ten servers, and fails, refuses or answers at once to attract calls',
    },
  ),
];

/** Returns the part of all calls that the attacker gets, which answers each with `code`. */
async function shareOf(run: ScenarioRun, code: number): Promise<number> {
  const liar = await startLiar(run, code);
  const addresses = [liar.address];
  while (addresses.length < SERVERS) {
    const server = run.own(
      createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] }),
      (each) => each.close(),
    );
    serve(server, {
      async echo(request) {
        await sleep(HONEST_TIME);
        return request;
      },
    });
    await server.listen();
    addresses.push(server.localAddr());
  }
  const resolve = createStaticResolver({ 'svc:///echo': addresses });
  const balancer = createBalancer({ resolve });
  const client = run.own(
    createTransport('tcp://127.0.0.1:0', {
      protocol,
      backends: [tcp()],
      interceptors: { client: [balancer.interceptor] },
    }),
    (each) => each.close(),
  );
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0)
      await client
        .send('svc:///echo', 'echo', Uint8Array.of(1), { timeout: 5_000 })
        .catch(() => {});
  };
  await Promise.all(Array.from({ length: 4 }, caller));
  await client.close();
  return liar.calls() / CALLS;
}

/** Starts a server that answers each call at once. */
async function startLiar(run: ScenarioRun, code: number) {
  let calls = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setNoDelay();
    const reader = new FrameReader();
    let preamble = PREAMBLE.length;
    socket.on('data', (chunk) => {
      const skipped = Math.min(preamble, chunk.length);
      preamble -= skipped;
      for (const { kind, id } of reader.push(chunk.subarray(skipped))) {
        if (kind === Kind.hello)
          socket.write(
            concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({ protocols: [ECHO] }) })),
          );
        else if (kind === Kind.ping) socket.write(frame({ kind: Kind.pong, id }));
        else if (kind === Kind.request) {
          calls++;
          socket.write(
            code === 0
              ? frame({ kind: Kind.response, id, payload: Uint8Array.of(9) })
              : frame({ kind: Kind.error, id, code, text: 'no' }),
          );
        }
      }
    });
  });
  const port = await run.listening(server);
  return { address: `tcp://127.0.0.1:${port}`, calls: () => calls };
}

const ECHO = { name: 'echo', version: 1, channel: 0x20 };
const protocol = defineProtocol({
  ...ECHO,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});
const SERVERS = 10;
const CALLS = 400;
/** Milliseconds that an honest answer takes. */
const HONEST_TIME = 5;
/** cancelled, unknown, deadline_exceeded, resource_exhausted, internal, unavailable, data_loss. */
const FAILURES = [1, 2, 4, 8, 13, 14, 15];
const NOT_FOUND = 5;
