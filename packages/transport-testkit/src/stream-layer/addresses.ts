// Rules about listening and addresses. `StreamLayerFixture` has the methods that they call.

import { pattern } from '../transport/values.ts';
import { failure } from './failure.ts';
import type { Rule } from './fixture.ts';

export const addressRules: Rule[] = [
  {
    title: 'before listen, localAddr and advertiseAddr throw failed_precondition',
    async run(t, fixture) {
      const layer = fixture.layer();
      t.is(failure(t, () => layer.localAddr()).code, 'failed_precondition');
      t.is(failure(t, () => layer.advertiseAddr()).code, 'failed_precondition');
    },
  },
  {
    title: 'after listen has resolved, localAddr can be dialed',
    async run(t, fixture) {
      const { address, accept } = await fixture.listen();
      await fixture.dial(address);
      await accept(0);
      t.pass();
    },
  },
  {
    title: 'two layers without a given address get different ones',
    async run(t, fixture) {
      const [one, other] = [await fixture.listen(), await fixture.listen()];
      t.not(one.address, other.address);
    },
  },
  {
    title: 'advertiseAddr equals localAddr by default',
    async run(t, fixture) {
      const { layer, address } = await fixture.listen();
      t.is(layer.advertiseAddr(), address);
    },
  },
  {
    title: 'advertiseAddr is the given one, unchanged',
    async run(t, fixture) {
      const { address } = await fixture.listen();
      // Uses capital letters, which a layer might normalize.
      const given = address.replace(/127\.0\.0\.1|\[::1\]/, 'Node-1.Example');
      const { layer } = await fixture.listen(fixture.layer(undefined, given));
      t.is(layer.advertiseAddr(), given);
    },
  },
  {
    title: 'listen on an address in use fails with address_in_use, and the first layer continues',
    async run(t, fixture) {
      const { address, accept } = await fixture.listen();
      const error = await failure(
        t,
        fixture.layer(address).listen(() => {}),
      );
      t.is(error.code, 'unavailable');
      t.is(error.reason, 'address_in_use');
      // The text may omit the scheme and the final slash.
      t.true(
        error.message.includes(address.replace(/^\w+:\/\//, '').replace(/\/$/, '')),
        error.message,
      );
      await fixture.dial(address);
      await accept(0);
    },
  },
  {
    title: 'a layer whose listen failed can listen after the address is free',
    async run(t, fixture) {
      const first = await fixture.listen();
      const layer = fixture.layer(first.address);
      await failure(
        t,
        layer.listen(() => {}),
      );
      t.is(failure(t, () => layer.localAddr()).code, 'failed_precondition');
      await first.layer.close();
      const { accept, address } = await fixture.listen(layer);
      t.is(address, first.address);
      await fixture.dial(address);
      await accept(0);
    },
  },
  {
    title: 'a second listen fails with failed_precondition, and the first listener continues',
    async run(t, fixture) {
      const { layer, address, accept } = await fixture.listen();
      t.is(
        (
          await failure(
            t,
            layer.listen(() => {}),
          )
        ).code,
        'failed_precondition',
      );
      await fixture.dial(address);
      await accept(0);
    },
  },
  {
    title: 'close frees the address, and a dial to it is refused',
    async run(t, fixture) {
      const { layer, address } = await fixture.listen(fixture.layer(await fixture.nobody()));
      await layer.close();
      t.is((await failure(t, fixture.dial(address))).reason, 'connection_refused');
      const next = await fixture.listen(fixture.layer(address));
      t.is(next.address, address);
    },
  },
  {
    title: 'after close a layer can listen again',
    async run(t, fixture) {
      const { layer } = await fixture.listen();
      await layer.close();
      t.is(failure(t, () => layer.localAddr()).code, 'failed_precondition');
      const { address, accept } = await fixture.listen(layer);
      const near = await fixture.dial(address);
      const far = await accept(0);
      await near.write(pattern(10));
      await far.until(() => far.size === 10);
      t.pass();
    },
  },
  {
    title: 'close is idempotent, and allowed on a layer that never listened',
    async run(t, fixture) {
      const { layer } = await fixture.listen();
      await Promise.all([layer.close(), layer.close()]);
      await layer.close();
      await fixture.layer().close();
      t.pass();
    },
  },
  {
    title: 'close while listen is pending leaves nothing bound',
    async run(t, fixture) {
      const address = await fixture.nobody();
      const layer = fixture.layer(address);
      const listening = layer.listen(() => {}).catch((error: unknown) => error);
      await layer.close();
      await listening;
      const next = await fixture.listen(fixture.layer(address));
      t.is(next.address, address);
    },
  },
  {
    title: 'close does not affect connections that were handed over',
    async run(t, fixture) {
      const { layer, address, accept } = await fixture.listen();
      const dialing = fixture.layer();
      const near = await fixture.dial(address, dialing);
      const far = await accept(0);
      await Promise.all([layer.close(), dialing.close()]);
      await near.write(pattern(100));
      await far.until(() => far.size === 100);
      await far.write(pattern(200));
      await near.until(() => near.size === 200);
      t.is(near.ends + far.ends, 0);
    },
  },
];
