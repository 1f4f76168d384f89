// Tests that wrong options are refused with a TypeError that names them.

import test from 'ava';
import { fullMesh } from '../index.gossip.ts';
import { createNode } from '../index.mesh.ts';
import { tcp } from '../index.ts';
import { addressOf, closing, greeter, handlers, text } from './testing/fixture.ts';

const protocol = greeter;
const wrong: readonly [options: object | undefined, message: RegExp][] = [
  [undefined, /^createNode: expected an object of options, got undefined$/],
  [{}, /^createNode: protocol: is required: must be a protocol made by defineProtocol$/],
  [{ protocol, adress: 'x' }, /^createNode: adress: unknown option; did you mean 'address'\?$/],
  [{ protocol, address: 7000 }, /^createNode: address: must be an address such as .* got 7000$/],
  [{ protocol, address: [] }, /^createNode: address: .* got a list$/],
  [{ protocol, address: 'tpc://127.0.0.1:0' }, /^createNode: address: .*'tpc:\/\/127.*'/],
  [{ protocol, name: '' }, /^createNode: name: must be a string of 1 to 255 characters/],
  [{ protocol, identity: 'f'.repeat(64) }, /^createNode: identity: must be an identity/],
  [{ protocol, handlers: { great: () => '' } }, /^createNode: handlers: .*no method 'great'/],
  [{ protocol, handlers: { greet: 'x' } }, /^createNode: handlers: the handler of 'greet' must/],
  [
    { protocol, serve: { concurrency: 0 } },
    /^createNode: serve\.concurrency: must be a number, at/,
  ],
  [{ protocol, backends: tcp }, /^createNode: backends: must be a list of backends/],
  [{ protocol, backends: [tcp] }, /^createNode: backends\[0\]: is the function 'tcp' itself/],
  [
    { protocol, transport: { limits: { packet: 1 } } },
    /^createNode: transport\.limits\.packet: must be an integer/,
  ],
  [{ protocol, createTransport: {} }, /^createNode: createTransport: must be a function/],
  [{ protocol, peers: { seeds: 'x' } }, /^createNode: peers\.seeds: must be a list of targets/],
  [{ protocol, peers: { seeds: ['a:x'] } }, /^createNode: peers\.seeds\[0\]: /],
  [{ protocol, gossip: { overlay: fullMesh } }, /^createNode: gossip\.overlay: must be an overlay/],
  [{ protocol, gossip: { topics: [text] } }, /^createNode: gossip: must be an object: \{ topics/],
  [
    { protocol, gossip: { topics: { news: undefined } } },
    /^createNode: gossip\.topics\.news\.codec/,
  ],
  [
    { protocol, gossip: { topics: { news: {} } } },
    /^createNode: gossip\.topics\.news\.codec: must/,
  ],
  [
    { protocol, gossip: { topics: { news: { codec: text, limit: 0 } } } },
    /^createNode: gossip\.topics\.news\.limit: must be an integer/,
  ],
  [
    { protocol, gossip: { topics: { news: { codec: text, onMesage: () => {} } } } },
    /^createNode: gossip\.topics\.news\.onMesage: unknown option/,
  ],
  [
    { protocol, gossip: { topics: { news: { codec: text, onMessage: 1 } } } },
    /^createNode: gossip\.topics\.news: expected a function, got number$/,
  ],
  [
    { protocol, gossip: { topics: { news: { codec: text, onError: () => {} } } } },
    /^createNode: gossip\.topics\.news\.onError: reports errors of onMessage/,
  ],
  [{ protocol, serve: { alow: () => true } }, /^createNode: serve\.alow: unknown option; did you/],
  [{ protocol, health: { allow: 1 } }, /^createNode: health\.allow: must be a function, got 1$/],
  [{ protocol, parts: {} }, /^createNode: parts: must be a list of parts/],
  [{ protocol, parts: [{ start() {} }] }, /^createNode: parts: must be a list of parts, each/],
];

for (const [index, [options, message]] of wrong.entries())
  test(`wrong options ${index + 1}: ${message.source.slice(0, 60)}`, async (t) => {
    await t.throwsAsync(createNode(options as never), { instanceOf: TypeError, message });
  });

test('TypeScript infers handlers, messages and topics', async (t) => {
  const node = await createNode({
    address: addressOf(t, 'a'),
    protocol,
    handlers: { greet: (name) => name.toUpperCase() },
    gossip: {
      topics: {
        plain: text,
        full: { codec: text, onMessage: (message, { from }) => [message.length, from.length] },
      },
    },
  });
  closing(t, node);
  const publish: (message: string) => Promise<unknown> = (message) =>
    node.topics.full.publish(message);
  t.truthy(publish);
  t.is(node.topics.plain.name, 'plain');
  // @ts-expect-error there is no such topic
  t.is(node.topics.other, undefined);
  // @ts-expect-error the messages of the topic are strings
  await t.throwsAsync(node.topics.plain.publish(1), { code: 'invalid_argument' });
  // @ts-expect-error the response of greet is a string
  await createNode({ protocol, handlers: { greet: () => 1 } }).then((other) => other.close());
  t.truthy(handlers);
});
