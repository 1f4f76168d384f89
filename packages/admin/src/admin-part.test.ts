// Tests administration as a part of a node.

import { createTransport } from '@trunkline/transport-core';
import test from 'ava';
import { admin, adminProtocol, followNode } from './index.ts';
import { backends, first, greeter } from './testing/fixture.ts';

test('the part observes and serves the node, until it is closed', async (t) => {
  const log = { level: 'info' };
  const part = admin({ allow: () => true, readonly: false, log });
  t.is(part.name, 'admin');
  t.throws(() => part.client(), { instanceOf: TypeError });
  const { observer } = part;
  const node = createTransport('inmem://part', { protocol: greeter, backends, observer });
  await part.start?.({ transport: node });
  await node.listen();
  const caller = createTransport({ protocol: greeter, backends });
  const tool = caller.mount(adminProtocol).to('inmem://part');
  const { connections } = await first(followNode(tool));
  t.is(Object.keys(connections).length, 1);
  await tool.logLevel({ level: 'debug' });
  t.is(log.level, 'debug');
  t.is((await first(followNode(part.client()))).node.state, 'open');
  t.throws(() => part.start?.({ transport: node }), { message: /create one for each node/ });
  await part.close?.();
  await t.throwsAsync(tool.drain({}), { code: 'unimplemented' });
  await caller.close();
  await node.close();
});

test('allow is required, and closing a part that never started does nothing', async (t) => {
  t.throws(() => admin({} as never), {
    instanceOf: TypeError,
    message: /allow must be a function/,
  });
  await t.notThrowsAsync(async () => admin({ allow: () => true }).close?.());
});
