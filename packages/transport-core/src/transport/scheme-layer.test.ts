// Tests of choosing a backend by the scheme of an address.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import { seededRandom } from '../random.ts';
import type { StreamConnection, StreamLayer } from '../stream/stream-layer.ts';
import { pluck } from '../testing/pluck.ts';
import { type Backend, type BackendLayerOptions, SchemeLayer } from './scheme-layer.ts';

interface Made {
  options: BackendLayerOptions;
  dialed: string[];
  listens: boolean;
  closed: number;
  /** Makes its listener fail. */
  fail(error: TransportError): void;
}

/** Creates a backend that records the layers it makes; they listen unless `broken`. */
function backend(schemes: string[], local: (bindAddr: string) => string = (address) => address) {
  const made: Made[] = [];
  const state = { broken: undefined as TransportError | undefined };
  const value: Backend = {
    schemes,
    layer: (options) => {
      const layer: Made = { options, dialed: [], listens: false, closed: 0, fail: () => {} };
      made.push(layer);
      return {
        listen: async (_accept, failed) => {
          if (state.broken !== undefined) throw state.broken;
          if (layer.listens) throw new TransportError('failed_precondition', 'listening already');
          layer.listens = true;
          layer.fail = (error) => {
            layer.listens = false;
            failed!(error);
          };
        },
        dial: async (address: string) => {
          layer.dialed.push(address);
          return { endpoint: address } as StreamConnection;
        },
        localAddr: () => {
          if (layer.listens) return local(options.bindAddr!);
          throw new TransportError('failed_precondition', 'not listening');
        },
        advertiseAddr: () => options.advertiseAddr ?? local(options.bindAddr!),
        close: async () => {
          layer.closed++;
          layer.listens = false;
        },
      } as StreamLayer;
    },
  };
  return { value, made, state };
}

test('connections get the credit that their backend asks for, unless the transport gives it', async (t) => {
  const [frugal, other] = [backend(['frugal']), backend(['other'])];
  const credit = { pipe: 1, pipeMax: 2 };
  const backends = [{ ...frugal.value, credit }, other.value];
  const given = { clock, random, observer: undefined };
  const layer = new SchemeLayer([], [], backends, given);
  t.deepEqual((await layer.dial('frugal://a', dial)).credit, credit);
  t.is((await layer.dial('other://a', dial)).credit, undefined);
  const own = new SchemeLayer([], [], backends, given, false);
  t.is((await own.dial('frugal://a', dial)).credit, undefined);
});

const clock = createManualClock();
const random = seededRandom(1);
const layerOf = (addresses: string[], advertised: string[], ...backends: Backend[]) =>
  new SchemeLayer(addresses, advertised, backends, { clock, random, observer: undefined });
const dial = { timeout: 1_000 };

test('the scheme selects the backend, for dialing and for listening', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws', 'wss'])];
  const layer = layerOf(['tcp://a:1', 'ws://a:2/rpc'], [], tcp.value, ws.value);
  await layer.listen(() => {});
  t.deepEqual(
    [tcp.made[0]!.options.bindAddr, ws.made[0]!.options.bindAddr],
    ['tcp://a:1', 'ws://a:2/rpc'],
  );
  t.deepEqual(layer.localAddrs(), ['tcp://a:1', 'ws://a:2/rpc']);
  t.is(layer.localAddr(), 'tcp://a:1');
  await layer.dial('wss://b:443/x', dial);
  await layer.dial('WS://b:80', dial);
  await layer.dial('tcp://b:1', dial);
  t.deepEqual(ws.made[0]!.dialed, ['wss://b:443/x', 'WS://b:80']);
  t.deepEqual(tcp.made[0]!.dialed, ['tcp://b:1']);
});

test('a layer gets the clock and the random source of its transport', (t) => {
  const tcp = backend(['tcp']);
  layerOf(['tcp://a:1'], [], tcp.value);
  t.is(tcp.made[0]!.options.clock, clock);
  t.is(tcp.made[0]!.options.random, random);
});

test('a backend that does not listen dials through a layer that is created once, when needed', async (t) => {
  const ws = backend(['ws']);
  const layer = layerOf([], [], ws.value);
  t.is(ws.made.length, 0);
  await layer.dial('ws://a:1', dial);
  await layer.dial('ws://a:2', dial);
  t.is(ws.made.length, 1);
  t.is(ws.made[0]!.options.bindAddr, undefined);
  await layer.close();
  t.is(ws.made[0]!.closed, 1);
});

test('several addresses of one backend are several layers, and one of them dials', async (t) => {
  const tcp = backend(['tcp']);
  const layer = layerOf(['tcp://a:1', 'tcp://b:2'], [], tcp.value);
  await layer.listen(() => {});
  t.true(tcp.made.every(({ listens }) => listens));
  await layer.dial('tcp://c:3', dial);
  t.is(tcp.made.map(({ dialed }) => dialed.length).join(), '1,0');
  await layer.close();
  t.deepEqual(pluck(tcp.made, 'closed'), [1, 1]);
});

test('an unknown scheme fails with invalid_argument, and the error lists the known ones', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws', 'wss'])];
  const error = t.throws(() =>
    layerOf(['quic://a:1'], [], tcp.value, ws.value),
  ) as unknown as TransportError;
  t.is(error.code, 'invalid_argument');
  t.regex(error.message, /'quic:\/\/a:1'.*'quic'.*tcp:\/\/, ws:\/\/, wss:\/\//);
  for (const target of ['quic://a:1', 'a', '/path', '']) {
    const failure = (await t.throwsAsync(
      layerOf([], [], tcp.value).dial(target, dial),
    )) as TransportError;
    t.is(failure.code, 'invalid_argument', target);
    t.regex(failure.message, /tcp:\/\//);
  }
});

test('an address without a scheme is a TCP address if there is a TCP backend, and an error otherwise', async (t) => {
  const tcp = backend(['tcp']);
  const layer = layerOf([], [], backend(['ws', 'wss']).value, tcp.value);
  await layer.dial('a:1', dial);
  t.deepEqual(tcp.made[0]?.dialed, ['a:1']);
  for (const [target, backends, says] of [
    ['a:1', [backend(['ws']).value], /has no scheme; the schemes are ws:\/\/$/],
    ['a', [backend(['ws']).value], /has no scheme/],
    ['a/b', [tcp.value], /has no scheme; the schemes are tcp:\/\/$/],
    ['', [tcp.value], /has no scheme/],
    ['a', [tcp.value], /'a' has no port; write tcp:\/\/a:<port>$/],
    ['[::1]', [tcp.value], /has no port; write tcp:\/\/\[::1\]:<port>$/],
  ] as const) {
    const failure = (await t.throwsAsync(
      layerOf([], [], ...backends).dial(target, dial),
    )) as TransportError;
    t.regex(failure.message, says);
  }
});

test('local addresses have a scheme, that of the layer or the requested one', async (t) => {
  const layer = layerOf(
    ['tcp://a:0', 'ws://a:0'],
    [],
    backend(['tcp'], () => 'a:7000').value,
    backend(['ws'], () => 'ws://a:7001').value,
  );
  await layer.listen(() => {});
  t.deepEqual(layer.localAddrs(), ['tcp://a:7000', 'ws://a:7001']);
});

test('a layer of several schemes has no local address before it listens', (t) => {
  const layer = layerOf(['tcp://a:1'], [], backend(['tcp']).value);
  for (const ask of [
    () => layer.localAddr(),
    () => layer.localAddrs(),
    () => layer.advertiseAddr(),
  ]) {
    t.is((t.throws(ask) as unknown as TransportError).code, 'failed_precondition');
  }
});

test('advertised addresses are sent verbatim, and each layer gets its own', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws', 'wss'])];
  const layer = layerOf(
    ['tcp://0.0.0.0:1', 'ws://0.0.0.0:2'],
    ['TCP://node-1:1', 'wss://node-1:443/x'],
    tcp.value,
    ws.value,
  );
  t.is(layer.advertiseAddr(), 'TCP://node-1:1,wss://node-1:443/x');
  t.is(tcp.made[0]!.options.advertiseAddr, 'TCP://node-1:1');
  t.is(ws.made[0]!.options.advertiseAddr, 'wss://node-1:443/x');
});

test('with one advertised address no layer requires its own', (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws'])];
  layerOf(['tcp://0.0.0.0:1', 'ws://0.0.0.0:2'], ['tcp://node-1:1'], tcp.value, ws.value);
  t.is(ws.made[0]!.options.advertiseAddr, 'tcp://node-1:1');
});

test('if an address cannot be bound, the ones bound before it are closed', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws'])];
  const layer = layerOf(['tcp://a:1', 'ws://a:2'], [], tcp.value, ws.value);
  ws.state.broken = new TransportError('unavailable', 'in use', { reason: 'address_in_use' });
  t.is(await t.throwsAsync(layer.listen(() => {})), ws.state.broken);
  t.deepEqual([tcp.made[0]!.closed, ws.made[0]!.closed], [1, 0]);
  t.throws(() => layer.localAddr());
  ws.state.broken = undefined;
  await layer.listen(() => {});
  t.is(layer.localAddr(), 'tcp://a:1');
});

test('close while listen is pending leaves nothing bound, and the layer can listen again', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws'])];
  const layer = layerOf(['tcp://a:1', 'ws://a:2'], [], tcp.value, ws.value);
  const listening = t.throwsAsync(
    layer.listen(() => {}),
    { message: /was closed/ },
  );
  await layer.close();
  await listening;
  const bound = () => [tcp.made[0]!.listens, ws.made[0]!.listens];
  t.deepEqual(bound(), [false, false]);
  await layer.listen(() => {});
  t.deepEqual(bound(), [true, true]);
});

test('a broken listener is repaired while the others continue to listen', async (t) => {
  const [tcp, ws] = [backend(['tcp']), backend(['ws'])];
  const layer = layerOf(['tcp://a:1', 'ws://a:2'], [], tcp.value, ws.value);
  const failures: TransportError[] = [];
  const listen = () =>
    layer.listen(
      () => {},
      (error) => void failures.push(error),
    );
  await listen();
  const broken = new TransportError('unavailable', 'accept');
  ws.made[0]!.fail(broken);
  t.deepEqual(failures, [broken]);
  t.deepEqual(layer.localAddrs(), ['tcp://a:1']);
  ws.state.broken = broken;
  t.is(await t.throwsAsync(listen()), broken);
  t.deepEqual([tcp.made[0]!.listens, tcp.made[0]!.closed], [true, 0]);
  ws.state.broken = undefined;
  await listen();
  t.true(ws.made[0]!.listens);
  tcp.made[0]!.fail(broken);
  t.is(layer.advertiseAddr(), 'ws://a:2');
  ws.made[0]!.fail(broken);
  t.throws(() => layer.localAddr(), { code: 'failed_precondition' });
  tcp.state.broken = broken;
  await t.throwsAsync(listen());
  t.true(ws.made[0]!.listens, 'one that stays broken does not stop the repair of others');
});

test('a transport without addresses cannot listen, and the error names the option to set', async (t) => {
  const error = (await t.throwsAsync(
    layerOf([], [], backend(['ws']).value).listen(() => {}),
  )) as TransportError;
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /ws:\/\/127\.0\.0\.1:0/);
});
