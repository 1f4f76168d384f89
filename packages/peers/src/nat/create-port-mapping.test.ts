// Tests of port mapping against a fake gateway: requests and their times, advertised addresses, and
// error messages.

import { createTransport, type TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { tcp } from '@trunkline/transport-tcp';
import ava, { type ExecutionContext } from 'ava';
import { echo } from '../testing/cluster.ts';
import {
  createPortMapping,
  type PortMapping,
  type PortMappingEvent,
  type PortMappingOptions,
} from './create-port-mapping.ts';
import { type FakeGateway, startFakeGateway } from './testing/fake-gateway.ts';

/** These tests run one at a time. */
const test = ava.serial;

const FORMER = 'tcp://inside.example:1';
const REFUSED = { upnp: '606 Action not authorized', pmp: 2 };
/** Faults of a router, each with the error that reports it. */
const FAULTS: Record<string, [Partial<FakeGateway>, RegExp]> = {
  'a refusal': [
    { refuse: REFUSED },
    /Cannot map port \d+ by (UPnP|NAT-PMP) on the router 127\..*not authorized.*allow port mapping/i,
  ],
  'an external address that is private': [
    { externalAddress: '100.64.3.4' },
    /100\.64\.3\.4 is not public.*behind another router/,
  ],
  'external port 0': [
    { answerPort: 0 },
    /router 127\..* has mapped port \d+ to 203\.0\.113\.7:0, .*no valid/,
  ],
};

let hosts = 0;
/** Starts a fake gateway and a transport with a manual clock. */
async function fixture(t: ExecutionContext, kind: 'upnp' | 'nat-pmp') {
  const host = `127.${1 + (process.pid % 250)}.${1 + (hosts >> 8)}.${1 + (hosts++ % 250)}`;
  const gateway = await startFakeGateway(host);
  const clock = createManualClock();
  const transport = createTransport('tcp://0.0.0.0:0', {
    protocol: echo,
    advertiseAddr: FORMER,
    clock,
    // No jitter: a renewal starts when its interval has passed.
    random: () => 0,
    backends: [tcp()],
  });
  await transport.listen();
  const events: PortMappingEvent[] = [];
  const waiting: (() => void)[] = [];
  const mappings: PortMapping[] = [];
  t.teardown(async () => {
    for (const mapping of mappings) await mapping.close();
    await transport.close();
    await gateway.close();
  });
  return {
    gateway,
    transport,
    clock,
    events,
    port: Number(transport.localAddr().split(':').at(-1)),
    async map(options?: PortMappingOptions) {
      const mapping = await createPortMapping(transport, {
        gateway: kind === 'upnp' ? gateway.url : host,
        onEvent(event) {
          events.push(event);
          for (const wake of waiting.splice(0)) wake();
        },
        ...options,
      });
      mappings.push(mapping);
      return mapping;
    },
    /** Lets time pass, and waits until this many events were reported. */
    async after(milliseconds: number, count: number) {
      await clock.advance(milliseconds);
      while (events.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

for (const kind of ['upnp', 'nat-pmp'] as const) {
  test(`${kind}: the external address is advertised until the mapping is closed`, async (t) => {
    const { gateway, transport, port, events, map } = await fixture(t, kind);
    const mapping = await map();
    const external = `tcp://203.0.113.7:${port}`;
    t.deepEqual([mapping.addresses, mapping.error], [[external], undefined]);
    t.is(transport.advertiseAddr(), `${external},${FORMER}`);
    t.deepEqual([...gateway.mappings.keys()], [port]);
    t.deepEqual(gateway.leases, [3_600]);
    t.like(events[0], { type: 'mapped', addresses: [external], protocol: kind });
    await mapping.close();
    await mapping.close();
    t.is(gateway.mappings.size, 0);
    t.is(transport.advertiseAddr(), FORMER);
    t.is(events.length, 1);
  });

  test(`${kind}: a port that another device uses is replaced, and then kept`, async (t) => {
    const { gateway, clock, port, map } = await fixture(t, kind);
    gateway.mappings.set(port, '192.168.1.9:7000');
    const mapping = await map({ renewInterval: 60_000 });
    t.deepEqual(mapping.addresses, [`tcp://203.0.113.7:${port + 1}`]);
    gateway.mappings.delete(port);
    await clock.advance(60_000);
    while (gateway.leases.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await mapping.close();
    t.is(gateway.mappings.size, 0, 'the mapping is removed by its external port');
  });

  test(`${kind}: a mapping that the router has forgotten is made again`, async (t) => {
    const { gateway, transport, port, events, map, after } = await fixture(t, kind);
    await map({ renewInterval: 60_000 });
    gateway.mappings.clear();
    gateway.externalAddress = '203.0.113.8';
    await after(60_000, 2);
    t.deepEqual([...gateway.mappings.keys()], [port]);
    t.like(events[1], { type: 'mapped', addresses: [`tcp://203.0.113.8:${port}`] });
    t.is(transport.advertiseAddr(), `tcp://203.0.113.8:${port},${FORMER}`);
  });

  for (const [what, [faults, message]] of Object.entries(FAULTS))
    test(`${kind}: ${what} is reported with advice and not advertised, and mapping is tried again`, async (t) => {
      const { gateway, transport, port, events, map, after } = await fixture(t, kind);
      const { externalAddress } = gateway;
      Object.assign(gateway, faults);
      const mapping = await map();
      const { error } = mapping;
      t.deepEqual(events, [{ type: 'failed', error: error!, retryIn: 15_000 }]);
      t.is(error!.code, 'unavailable');
      t.regex(error!.message, message);
      t.deepEqual([mapping.addresses, transport.advertiseAddr()], [[], FORMER]);
      if ('externalAddress' in faults) t.is(gateway.mappings.size, 0);
      Object.assign(gateway, { externalAddress, refuse: undefined, answerPort: undefined });
      await after(15_000, 2);
      t.deepEqual(mapping.addresses, [`tcp://${externalAddress}:${port}`]);
      t.deepEqual([events[1]!.type, mapping.error], ['mapped', undefined]);
    });

  test(`${kind}: no port stays mapped if the router does not know its external address`, async (t) => {
    const { gateway, map } = await fixture(t, kind);
    gateway.isOffline = true;
    const mapping = await map();
    t.is(mapping.error?.code, 'unavailable');
    await mapping.close();
    t.deepEqual([gateway.leases, gateway.mappings.size], [[], 0]);
  });

  test(`${kind}: the address is advertised until the lease ends`, async (t) => {
    const { gateway, transport, events, map, after } = await fixture(t, kind);
    const mapping = await map({ renewInterval: 1_800_000 });
    gateway.refuse = REFUSED;
    await after(1_800_000, 2);
    t.is(events[1]!.type, 'failed');
    t.is(mapping.addresses.length, 1);
    for (let count = 3; events.at(-1)!.type !== 'lost'; count++) await after(900_000, count);
    t.deepEqual(mapping.addresses, []);
    t.is(transport.advertiseAddr(), FORMER);
  });

  test(`${kind}: addresses that the transport refuses are not mapped`, async (t) => {
    const { transport, port, events, map, after } = await fixture(t, kind);
    const refuse = () => {
      throw new TypeError('advertise: no room');
    };
    Object.assign(transport, { advertise: refuse });
    const mapping = await map();
    t.deepEqual(mapping.addresses, []);
    t.regex(mapping.error!.message, /cannot advertise tcp:\/\/203\.0\.113\.7:\d+: .*no room/);
    t.like(events[0], { type: 'failed', retryIn: 15_000 });
    Reflect.deleteProperty(transport, 'advertise');
    await after(15_000, 2);
    t.is(transport.advertiseAddr(), `tcp://203.0.113.7:${port},${FORMER}`);
    t.is(mapping.error, undefined);
  });
}

test('addresses that the transport refuses replace the former ones by none', async (t) => {
  const { gateway, transport, events, map, after } = await fixture(t, 'upnp');
  const mapping = await map({ renewInterval: 60_000 });
  const [former] = mapping.addresses;
  gateway.externalAddress = '203.0.113.8';
  const real = transport.advertise.bind(transport);
  Object.assign(transport, {
    advertise(list: readonly string[]) {
      if (list.some((address) => address.includes('.8:'))) throw new TypeError('no room');
      real(list);
    },
  });
  await after(60_000, 3);
  t.like(events[1], { type: 'failed', retryIn: 15_000 });
  t.deepEqual(events[2], { type: 'lost', addresses: [former!] });
  t.deepEqual(mapping.addresses, []);
  t.is(transport.advertiseAddr(), FORMER);
});

test('upnp: an external address that is none is refused', async (t) => {
  const { gateway, transport, map } = await fixture(t, 'upnp');
  gateway.externalAddress = 'unknown';
  t.regex((await map()).error!.message, /has mapped port \d+ to unknown:\d+, which has no valid/);
  t.is(transport.advertiseAddr(), FORMER);
});

test('close() leaves an address that was set meanwhile, unless a mapping replaced it', async (t) => {
  const { gateway, transport, map } = await fixture(t, 'upnp');
  gateway.refuse = REFUSED;
  const mapping = await map();
  transport.advertise('tcp://outside.example:1');
  await mapping.close();
  t.is(transport.advertiseAddr(), 'tcp://outside.example:1');
});

test('nat-pmp: a router to which the system sends nothing fails the attempt', async (t) => {
  const { map } = await fixture(t, 'nat-pmp');
  // A system lets no socket connect to the broadcast address unless the socket asks for it.
  const { error } = await map({ gateway: '255.255.255.255' });
  t.is(error?.code, 'unavailable');
  t.regex(error!.message, /on the router 255\.255\.255\.255: no answer: connect E.*; check that/);
});

test('nat-pmp: a request whose answer is lost is sent again', async (t) => {
  const { gateway, clock, map } = await fixture(t, 'nat-pmp');
  gateway.lose = 1;
  const mapped = map();
  while (gateway.lose > 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(500);
  t.is((await mapped).addresses.length, 1);
});

test('upnp: a router that does not answer fails the attempt after 5 s', async (t) => {
  const { gateway, clock, map } = await fixture(t, 'upnp');
  gateway.hang = true;
  let isOver = false;
  const mapped = map().finally(() => void (isOver = true));
  while (!isOver) {
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.regex((await mapped).error!.message, /no answer within 5000 ms; check that/);
});

test('upnp: a router that changes the protocol fails the attempt at once', async (t) => {
  const { gateway, map } = await fixture(t, 'upnp');
  gateway.upgrade = true;
  t.regex((await map()).error!.message, /changes the protocol of http:.* to 'x'/);
});

test('an error of onEvent changes nothing', async (t) => {
  const { gateway, transport, port, map } = await fixture(t, 'upnp');
  const onEvent = () => {
    throw new Error('from the listener');
  };
  const mapping = await map({ onEvent });
  t.is(mapping.error, undefined);
  t.true(transport.advertiseAddr().startsWith(`tcp://203.0.113.7:${port},`));
  await mapping.close();
  t.is(gateway.mappings.size, 0);
});

ava('a transport that no router can reach is refused', async (t) => {
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] });
  t.teardown(() => transport.close());
  await t.throwsAsync(createPortMapping(transport), { code: 'failed_precondition' });
  await transport.listen();
  const error = (await t.throwsAsync(createPortMapping(transport))) as TransportError;
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /a router can't reach tcp:\/\/127\.0\.0\.1:\d+; listen on/);
});

ava('invalid options are a TypeError that names them', async (t) => {
  const { map } = await fixture(t, 'upnp');
  for (const options of [{ gateway: 'router' }, { renewInterval: 1 }]) {
    const message = new RegExp(Object.keys(options)[0]!);
    await t.throwsAsync(map(options), { instanceOf: TypeError, message });
  }
});

ava('the wait for the next attempt does not keep the process alive', async (t) => {
  const { map, clock } = await fixture(t, 'nat-pmp');
  const { setTimeout } = clock;
  const delays = new Map<unknown, number>();
  const background: (number | undefined)[] = [];
  Object.assign(clock, {
    setTimeout(callback: () => void, delay: number) {
      const timer = setTimeout.call(clock, callback, delay);
      delays.set(timer, delay);
      return timer;
    },
    ref: (timer: unknown, on: boolean) => on || background.push(delays.get(timer)),
  });
  await map();
  t.true([...delays.values()].includes(300_000));
  t.true(background.includes(300_000));
});
