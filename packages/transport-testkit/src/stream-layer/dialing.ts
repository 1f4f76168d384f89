// Rules about dialing: its success, and every way in which it ends without a connection.

import { equalBytes, pattern } from '../transport/values.ts';
import { failure } from './failure.ts';
import type { Listening, Rule, StreamLayerFixture } from './fixture.ts';

export const dialRules: Rule[] = [
  {
    title: 'each end of a connection names the other',
    async run(t, fixture) {
      const { near, far } = await fixture.pair();
      t.true(near.connection.endpoint.length > 0);
      t.true(far.connection.endpoint.length > 0);
      t.not(near.connection.endpoint, far.connection.endpoint);
    },
  },
  {
    title:
      'a dial to an address without a listener fails with connection_refused and names the address',
    async run(t, fixture) {
      const address = await fixture.nobody();
      const error = await failure(t, fixture.dial(address));
      t.is(error.code, 'unavailable');
      t.is(error.reason, 'connection_refused');
      t.is(error.target, address);
      t.true(error.message.includes(address), error.message);
    },
  },
  {
    title:
      'a dial to an address that cannot be parsed fails with invalid_argument and names the address',
    async run(t, fixture) {
      t.true(fixture.backend.malformed.length > 0);
      for (const address of fixture.backend.malformed) {
        const error = await failure(t, fixture.dial(address));
        t.is(error.code, 'invalid_argument', address);
        t.true(error.message.includes(address), error.message);
      }
    },
  },
  {
    title: 'a failed dial can be repeated once a listener exists',
    async run(t, fixture) {
      const address = await fixture.nobody();
      const dialer = fixture.layer();
      await failure(t, fixture.dial(address, dialer));
      const { accept } = await fixture.listen(fixture.layer(address));
      await fixture.dial(address, dialer);
      await accept(0);
      t.pass();
    },
  },
  {
    title:
      'a dial that takes longer than its timeout fails with dial_timeout, and leaves no connection behind',
    async run(t, fixture) {
      const listening = await fixture.listen();
      const dialing = fixture.layer().dial(listening.address, { timeout: 300 });
      fixture.clock.advance(300);
      const error = await failure(t, dialing);
      t.is(error.code, 'unavailable');
      t.is(error.reason, 'dial_timeout');
      t.true(error.message.includes(listening.address), error.message);
      t.true(error.message.includes('300'), error.message);
      await nothingLeft(fixture, listening);
      t.pass();
    },
  },
  {
    title: 'an abort rejects the dial with its reason, and leaves no connection behind',
    async run(t, fixture) {
      const listening = await fixture.listen();
      const controller = new AbortController();
      const dialing = fixture
        .layer()
        .dial(listening.address, { timeout: 10_000, signal: controller.signal });
      const reason = new Error('no longer wanted');
      controller.abort(reason);
      t.is(await dialing.catch((error: unknown) => error), reason);
      await nothingLeft(fixture, listening);
    },
  },
  {
    title: 'an aborted signal rejects the dial before anything is sent',
    async run(t, fixture) {
      const listening = await fixture.listen();
      const reason = new Error('too late');
      t.is(
        await fixture
          .layer()
          .dial(listening.address, { timeout: 10_000, signal: AbortSignal.abort(reason) })
          .catch((error: unknown) => error),
        reason,
      );
      await fixture.dial(listening.address);
      await listening.accept(0);
      t.is(listening.accepted.length, 1);
    },
  },
  {
    title: 'an abort after the dial changes nothing',
    async run(t, fixture) {
      const { address, accept } = await fixture.listen();
      const controller = new AbortController();
      const near = fixture.record(
        await fixture.layer().dial(address, { timeout: 10_000, signal: controller.signal }),
      );
      controller.abort();
      await near.write(pattern(5));
      const far = await accept(0);
      await far.until(() => far.size === 5);
      t.is(near.ends, 0);
    },
  },
  {
    title: 'close ends pending dials, and leaves no connection behind',
    async run(t, fixture) {
      const listening = await fixture.listen();
      const dialer = fixture.layer();
      const failing = failure(t, dialer.dial(listening.address, { timeout: 10_000 }));
      await dialer.close();
      t.is((await failing).code, 'shutdown');
      await nothingLeft(fixture, listening);
    },
  },
  {
    title: 'a dial leaves no timer, however it ended',
    async run(t, fixture) {
      const { clock } = fixture;
      const { layer, address, accept } = await fixture.listen();
      const near = await fixture.dial(address);
      const far = await accept(0);
      await failure(t, fixture.dial(await fixture.nobody()));
      await failure(t, fixture.dial(fixture.backend.malformed[0]!));
      const controller = new AbortController();
      const dialing = fixture.layer().dial(address, { timeout: 300, signal: controller.signal });
      controller.abort(new Error('enough'));
      await t.throwsAsync(dialing);
      await layer.close();
      t.is(clock.timers, 0);
      t.is(near.ends + far.ends, 0);
    },
  },
  {
    title: 'a timeout that expires after the dial changes nothing',
    async run(t, fixture) {
      const { address, accept } = await fixture.listen();
      const near = fixture.record(await fixture.layer().dial(address, { timeout: 300 }));
      const far = await accept(0);
      fixture.clock.advance(10_000);
      await near.write(pattern(5));
      await far.until(() => far.size === 5);
      t.is(near.ends, 0);
    },
  },
  {
    title: 'fifty dials at once become fifty separate connections',
    async run(t, fixture) {
      const { address, accepted, accept } = await fixture.listen();
      const dialer = fixture.layer();
      const nears = await Promise.all(
        Array.from({ length: 50 }, () => fixture.dial(address, dialer)),
      );
      await accept(49);
      await Promise.all(nears.map((near, i) => near.write(pattern(100 + i, i + 1))));
      await Promise.all(accepted.map((far) => far.until(() => far.size > 0)));
      const seeds = new Set<number>();
      for (const far of accepted) {
        await far.until(() => far.size >= 100);
        const seed = nears.findIndex((_, i) =>
          equalBytes(far.bytes().subarray(0, 100), pattern(100, i + 1)),
        );
        await far.until(() => far.size === 100 + seed);
        seeds.add(seed);
      }
      t.is(seeds.size, 50);
    },
  },
];

/**
 * Checks, after an abandoned dial, that the listener's end of the dial closes and that the next
 * dial is served.
 */
async function nothingLeft(fixture: StreamLayerFixture, listening: Listening): Promise<void> {
  const near = await fixture.dial(listening.address);
  const served = await new Promise<number>((resolve) => {
    near.connection.write(pattern(7));
    const look = (n: number): void => {
      void listening.accept(n).then((far) => {
        // Each accepted connection either ends (the abandoned one) or brings the seven bytes
        // (ours).
        far
          .until(() => far.size === 7)
          .then(
            () => resolve(n),
            () => look(n + 1),
          );
      });
    };
    look(0);
  });
  await Promise.all(
    listening.accepted.filter((_, i) => i !== served).map((ghost) => ghost.ended()),
  );
}
