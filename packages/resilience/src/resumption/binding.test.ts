// Tests that only the node that opened a stream may continue it, if its id is proven.

import { createIdentity } from '@trunkline/security';
import { secured } from '@trunkline/security/noise';
import { createTransport, serve, type TransportError } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { resumable, resume, resumptionFailure } from '../index.resumption.ts';
import { feed, next, upTo } from './testing/feed.ts';

test('a token is of no use to another node', async (t) => {
  const [host, ada, eve] = [createIdentity(), createIdentity(), createIdentity()];
  const server = createTransport('tcp://127.0.0.1:0', {
    protocol: feed,
    backends: [secured(tcp(), { identity: host })],
  });
  const count = resumable(server, 'count', upTo);
  let metadata: Readonly<Record<string, string>> = {};
  serve(server, {
    count: (request, rpc) => {
      metadata = rpc.metadata;
      return count(request, rpc);
    },
  });
  await server.listen();
  const [client, other] = [ada, eve].map((identity) =>
    createTransport({ protocol: feed, backends: [secured(tcp(), { identity })] }),
  );
  t.teardown(() => Promise.all([client!.close(), other!.close(), server.close()]));
  const target = `${host.nodeId}@${server.advertiseAddr()}`;
  const items = await resume(client!, target, 'count', 1e9);
  t.is(await next(items), 0);
  const stolen = { ...metadata };
  for (const offset of [undefined, '0', '1']) {
    const asked = offset === undefined ? stolen : { ...stolen, 'trunkline-resume-offset': offset };
    const calls = await other!.send(target, 'count', 1, { metadata: asked });
    const error = await t.throwsAsync<TransportError>(next(calls[Symbol.asyncIterator]()));
    t.is(resumptionFailure(error), 'unknown');
  }
  t.is(await next(items), 1, 'its own node goes on');
  t.is(count.streams, 1);
  t.like(count.counts, { opened: 1, resumed: 0, unknown: 3 });
});
