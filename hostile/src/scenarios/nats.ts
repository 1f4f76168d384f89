// Attacks on nodes behind a NATS server without permissions: everybody may publish and subscribe to
// everything.

import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsServer, unable } from '@trunkline/local-nats';
import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { type Backend, createTransport, serve } from '@trunkline/transport-core';
import { nats as natsBackend } from '@trunkline/transport-nats';
import { NatsSocket } from '../nats-socket.ts';
import type { Finding, Scenario, ScenarioRun } from '../scenario.ts';
import { victimProtocol } from '../victim-protocol.ts';
import { concat, frame, hello, Kind, PREAMBLE } from '../wire.ts';

/**
 * The attacker's reaction to the answers to its dials: none, or it confirms each with the bytes that
 * the function returns for the number of the answer, counted from 1.
 */
type Then = 'vanish' | ((dial: number) => Uint8Array);

/** Dials at 300 and at 3,000 a second, with the server near and 50 ms away. */
function flood(name: string, title: string, then: Then): Scenario {
  return {
    name,
    title,
    cases: [],
    carrier: 'nats',
    run: async (run) => {
      if (unable() !== undefined) return skipped();
      const server = run.own(await startNatsServer(), (each) => each.kill());
      const far = await delayed(run, server.port, AWAY);
      const honest = { succeeded: 0, of: 0 };
      const answers: string[] = [];
      // In a short run, other tests need the processors, too.
      for (const [at, [rate, port]] of (run.isShort
        ? [[300, server.port] as const]
        : [
            [300, server.port] as const,
            [3_000, server.port] as const,
            [300, far] as const,
            [3_000, far] as const,
          ]
      ).entries()) {
        const backend = () => natsBackend({ servers: `127.0.0.1:${port}` });
        const address = `nats://broker/orders-${at}`;
        await victim(run, address, backend());
        const attacker = run.own(new NatsSocket(server.port), (each) => each.close());
        const stop = dialFalsely(attacker, `orders-${at}`, then, rate);
        run.own(stop, () => stop());
        await sleep(run.isShort ? 300 : 2_000);
        const { succeeded, of } = await dialHonestly(address, run.isShort ? 5 : 30, backend);
        honest.succeeded += succeeded;
        honest.of += of;
        attacker.close(); // It would confirm the dials of the next one, too.
        answers.push(`${stop()} (${succeeded} of ${of})`);
      }
      return { answer: `answered ${answers.join(', ')}`, honest, flaws: [] };
    },
  };
}

/**
 * Takes half of the dials to a node that uses Noise, and refuses them, or accepts them and sends
 * the dialer's own bytes back, or names a subject that the dialer must not publish to.
 */
async function forge(run: ScenarioRun): Promise<Finding> {
  if (unable() !== undefined) return skipped();
  const server = run.own(await startNatsServer(), (each) => each.kill());
  const identity = createIdentity();
  const backend = (own = createIdentity()) =>
    secured(natsBackend({ servers: server.address }), { identity: own });
  const address = 'nats://broker/orders';
  const handled = await victim(run, address, backend(identity));
  const attacker = run.own(new NatsSocket(server.port), (each) => each.close());
  const flaws: string[] = [];
  let forged = 0;
  attacker.subscribe(`${ROOT}.dial.orders`, 'trunkline');
  attacker.subscribe(`${ROOT}.in.orders.${OWN}`);
  attacker.subscribe('foreign.>');
  attacker.message = ({ subject, reply, data }) => {
    if (data.includes('hello')) flaws.push('the attacker has read a call');
    if (subject.startsWith('foreign')) flaws.push('a dialer published to a foreign subject');
    const [number, own] = [Number(data.subarray(0, 4).toString('hex')), `${ROOT}.in.orders.${OWN}`];
    if (subject.endsWith(OWN)) {
      if (number > 0 || data[4] !== CONFIRM) return;
      const first = data.subarray(7 + data.readUInt16BE(5));
      attacker.publish(reply, numbered(1, CREDIT, Buffer.from([0, 4, 0, 0])), own);
      attacker.publish(reply, numbered(2, DATA, first), own);
    } else if (subject.startsWith(ROOT)) {
      const accept = numbered(0, ACCEPT, '{"version":1,"max":65536,"cookie":"mine"}');
      const kind = forged++ % 3;
      if (kind === 0) attacker.publish(reply, numbered(0, REFUSE, '{"message":"go away"}'));
      else attacker.publish(reply, accept, kind === 1 ? own : 'foreign.subject');
    }
  };
  await attacker.flush();
  const during = await dialHonestly(
    `${identity.nodeId}@${address}`,
    run.isShort ? 20 : 60,
    backend,
  );
  if (during.succeeded > handled()) flaws.push('a call was answered by the attacker');
  if (forged === 0) flaws.push('no dial reached the attacker');
  attacker.close();
  const honest = await dialHonestly(`${identity.nodeId}@${address}`, 5, backend);
  const answer = `denied ${during.of - during.succeeded}/${during.of}, then`;
  return { answer, honest, flaws: [...new Set(flaws)] };
}

/** Listens and echoes. Returns a function that tells how many calls it has answered. */
async function victim(run: ScenarioRun, address: string, backend: Backend): Promise<() => number> {
  let calls = 0;
  const transport = createTransport(address, { protocol: victimProtocol, backends: [backend] });
  run.own(transport, (each) => each.close());
  serve(transport, {
    echo: (request) => {
      calls++;
      return request;
    },
  });
  await transport.listen();
  return () => calls;
}

/** Counts the dials by new nodes that are answered by the victim, five at a time. */
async function dialHonestly(
  address: string,
  count: number,
  backend: () => Backend,
): Promise<NonNullable<Finding['honest']>> {
  let succeeded = 0;
  let left = count;
  const dialer = async () => {
    while (left-- > 0) {
      const transport = createTransport({ protocol: victimProtocol, backends: [backend()] });
      const answer = await transport
        .send(address, 'echo', HELLO, { timeout: 10_000 })
        .catch(() => undefined);
      if (answer !== undefined) succeeded++;
      await transport.close();
    }
  };
  await Promise.all(Array.from({ length: 5 }, dialer));
  return { succeeded, of: count };
}

/** Dials `rate` times a second, each time as another node. Returns a function that stops it. */
function dialFalsely(attacker: NatsSocket, name: string, then: Then, rate: number): () => string {
  let dials = 0;
  let answered = 0;
  attacker.subscribe(`${ROOT}.in.evil.>`);
  attacker.message = ({ subject, reply, data }) => {
    if (data[4] !== ACCEPT) return;
    answered++;
    if (then !== 'vanish')
      attacker.publish(reply, confirmation(data.subarray(5), then(answered)), subject);
  };
  const begin = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - begin) * rate) / 1_000;
    for (; dials < due; dials++) {
      const own = `${ROOT}.in.evil.n${dials}.${String(dials).padStart(22, 'A')}`;
      attacker.publish(`${ROOT}.dial.${name}`, '{"version":1}', own);
    }
  }, 5);
  return () => {
    clearInterval(timer);
    return `${answered}/${dials}`;
  };
}

function numbered(number: number, type: number, content: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, number, type]), Buffer.from(content)]);
}

/** Confirms a dial with these bytes of the stream. */
function confirmation(accept: Buffer, first: Uint8Array): Buffer {
  const { cookie } = JSON.parse(accept.toString());
  const terms = Buffer.from(`{"version":1,"credit":65536,"max":65536,"cookie":"${cookie}"}`);
  const length = Buffer.from([terms.length >> 8, terms.length & 255]);
  return numbered(0, CONFIRM, Buffer.concat([length, terms, first]));
}

/** A relay to the server that lies so many milliseconds there and back away. Returns its port. */
async function delayed(run: ScenarioRun, port: number, milliseconds: number): Promise<number> {
  const sockets: Socket[] = [];
  const forward = (from: Socket, to: Socket) => {
    sockets.push(from);
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), milliseconds / 2));
    from.on('close', () => setTimeout(() => to.destroy(), milliseconds / 2));
    from.on('error', () => {});
  };
  const relay = createServer((socket) => {
    const onward = createConnection(port, '127.0.0.1');
    forward(socket, onward);
    forward(onward, socket);
  }).listen(0, '127.0.0.1');
  run.own(relay, () => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(relay, 'listening');
  return (relay.address() as AddressInfo).port;
}

function skipped(): Finding {
  return { answer: `not run: ${unable()}`, flaws: [] };
}

export const nats: readonly Scenario[] = [
  flood('nats-dials', 'dials a name on a broker and never confirms', 'vanish'),
  flood(
    'nats-silent',
    'confirms its dials on a broker with a whole hello, or one byte of it, and is silent',
    (dial) => (dial % 2 === 0 ? PREAMBLE.subarray(0, 1) : FIRST),
  ),
  {
    name: 'nats-forged-answers',
    title: 'takes dials to a node on a broker, and answers them itself',
    cases: [],
    carrier: 'nats',
    run: forge,
  },
];

const ROOT = 'trunkline.default';
/** The last part of the attacker's subject. */
const OWN = 'EVILEVILEVILEVILEVIL';
const DATA = 0;
const CREDIT = 1;
const ACCEPT = 4;
const REFUSE = 5;
const CONFIRM = 6;
/** Milliseconds from a node to the server and back. */
const AWAY = 50;
/** The first message of a dialer. */
const FIRST = concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }));
const HELLO = new TextEncoder().encode('hello');
