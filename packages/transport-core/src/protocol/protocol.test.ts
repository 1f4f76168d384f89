// Tests of defineProtocol: defaults, kinds of methods, refused definitions and default channels.

import test from 'ava';
import { bytes, owned } from './codec.ts';
import {
  defineProjectProtocol,
  defineProtocol,
  isProtocol,
  methodId,
  methodTable,
  type Protocol,
} from './protocol.ts';
import { misuseOf } from './testing/refused.ts';

const methods = {
  unary: { id: 1, request: bytes, response: bytes, timeout: 500 },
  oneway: { id: 2, request: bytes },
  upload: { id: 3, request: bytes, upload: bytes, response: bytes },
  download: { id: 4, request: bytes, download: bytes },
  duplex: { id: 2 ** 32 - 1, request: bytes, upload: bytes, download: bytes, response: undefined },
} as const;
const common = { name: 'raft', version: 1, channel: 0x20, methods };
const messageOf = (changes: object) =>
  misuseOf(() => defineProtocol({ ...common, ...changes } as any));

test('omitted members have defaults', (t) => {
  t.is(defineProtocol({ name: 'raft', methods }).version, 1);
  const { name, version, accepts, channel, priority, ordered } = defineProtocol(common);
  t.deepEqual(
    { name, version, accepts, channel, priority, ordered },
    { name: 'raft', version: 1, accepts: [], channel: 0x20, priority: 10, ordered: false },
  );
  const given = defineProtocol({ ...common, accepts: [0, 3], priority: 0.5, ordered: true });
  t.deepEqual([given.accepts, given.priority, given.ordered], [[0, 3], 0.5, true]);
  const undefineds = defineProtocol({
    ...common,
    accepts: undefined,
    priority: undefined,
    ordered: undefined,
    version: undefined,
  });
  t.deepEqual([undefineds.accepts, undefineds.priority, undefineds.ordered], [[], 10, false]);
  t.is(undefineds.version, 1);
});

test('the kind of a method follows from its members', (t) => {
  const { byName, byId } = methodTable(defineProtocol(common));
  t.deepEqual(
    [...byName.values()].map(({ name, kind, flags }) => `${name} ${kind} ${flags}`),
    [
      'unary unary 0',
      'oneway oneway 0',
      'upload upload 1',
      'download download 2',
      'duplex duplex 3',
    ],
  );
  for (const method of byName.values()) t.is(byId.get(method.id), method);
  t.is(byId.get(1)?.timeout, 500);
  t.is(byId.get(4_294_967_295)?.name, 'duplex');
  t.is(byId.size, 5);
});

test('a method without an id gets that of its name, and keeps it when it is renamed', (t) => {
  const method = { request: bytes };
  const { methods: named } = defineProtocol({
    name: 'raft',
    methods: { append: method, vote: method },
  });
  t.deepEqual([named.append.id, named.vote.id], [methodId('append'), methodId('vote')]);
  const { append, ...others } = named;
  const renamed = defineProtocol({ name: 'raft', methods: { appendEntries: append, ...others } });
  t.is(renamed.methods.appendEntries.id, methodId('append'));
  t.is(methodTable(renamed).byId.get(methodId('append'))?.name, 'appendEntries');
  t.is(methodTable(renamed).byLowId.length, 0);
  t.false(Object.hasOwn(method, 'id'));
});

test('a protocol is frozen and independent of later changes to its definition', (t) => {
  const literal = { ...common, accepts: [0], methods: { a: { id: 1, request: bytes } } };
  const protocol = defineProtocol(literal);
  for (const part of [
    protocol,
    protocol.accepts,
    protocol.methods,
    protocol.methods.a,
    methodTable(protocol),
    methodTable(protocol).byName.get('a'),
  ])
    t.true(Object.isFrozen(part));
  literal.methods.a.id = 9;
  literal.accepts.push(7);
  t.is(protocol.methods.a.id, 1);
  t.deepEqual(protocol.accepts, [0]);
  t.false(Object.isFrozen(literal.methods.a));
});

test('a protocol and its methods may have descriptions', (t) => {
  const protocol = defineProtocol({
    ...common,
    doc: 'Agrees on a log.',
    methods: { a: { id: 1, request: bytes, doc: 'Appends entries.' } },
  });
  t.is(protocol.doc, 'Agrees on a log.');
  t.is(methodTable(protocol).byName.get('a')?.doc, 'Appends entries.');
  t.is(defineProtocol(common).doc, undefined);
});

test('a protocol may have no methods', (t) => {
  t.is(methodTable(defineProtocol({ ...common, methods: {} })).byName.size, 0);
});

test('methods may have names of prototype members', (t) => {
  const method = (id: number) => ({ id, request: bytes });
  const protocol = defineProtocol({
    ...common,
    methods: {
      ['__proto__']: method(1),
      constructor: method(2),
      toString: method(3),
      hasOwnProperty: method(4),
      catch: method(5),
      '': method(6),
    },
  });
  t.deepEqual(
    [...methodTable(protocol).byName.keys()],
    ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'catch', ''],
  );
  t.is(methodTable(protocol).byName.get('__proto__')?.id, 1);
  t.is(methodTable(defineProtocol(common)).byName.get('constructor'), undefined);
  t.is(Object.getPrototypeOf(protocol.methods), Object.prototype);
  t.true(Object.hasOwn(protocol.methods, '__proto__'));
  t.regex(
    messageOf({ methods: { __proto__: { a: method(1) } } }),
    /methods: must be a plain object of methods .*\['__proto__'\]/,
  );
});

const method = (members: object) => ({ methods: { a: { id: 1, request: bytes, ...members } } });
const NO_METHODS =
  "must be a plain object of methods (a method named '__proto__' is written ['__proto__']: { … })";
const NO_NAME =
  'must be a string of 1 to 255 bytes of UTF-8 without control characters or lone surrogates';
const NO_VERSION = 'must be an integer from 0 to 4294967295';
const NO_ID = 'must be an integer from 1 to 4294967295';
const NO_CHANNEL = 'must be an integer from 16 to 255';
const NO_CODEC = 'must be a codec: bytes, json(schema) or protobuf(type)';
const NO_DOC = 'must be a string of at most 4096 characters without lone surrogates';
/** The messages begin with 'defineProtocol "raft": ', unless they say otherwise. */
const refused: [changes: object, message: string][] = [
  [{ name: '' }, `defineProtocol "": name: ${NO_NAME}, got ""`],
  [
    { name: 'ü'.repeat(128) },
    `defineProtocol "${'ü'.repeat(64)}…": name: ${NO_NAME}, got "${'ü'.repeat(64)}…"`,
  ],
  [{ name: 'a\nb' }, `defineProtocol "a\\nb": name: ${NO_NAME}, got "a\\nb"`],
  [{ name: 'a\ud800' }, `defineProtocol "a\\ud800": name: ${NO_NAME}, got "a\\ud800"`],
  [{ name: 5 }, `defineProtocol: name: ${NO_NAME}, got 5`],
  [{ name: undefined }, `defineProtocol: name: is required: ${NO_NAME}`],
  [{ version: -1 }, `version: ${NO_VERSION}, got -1`],
  [{ version: 1.5 }, `version: ${NO_VERSION}, got 1.5`],
  [{ version: 2 ** 32 }, `version: ${NO_VERSION}, got 4294967296`],
  [{ version: '1' }, `version: ${NO_VERSION}, got "1"`],
  [{ accepts: 0 }, 'accepts: must be a list of at most 64 values, got 0'],
  [{ accepts: [0, NaN] }, `accepts[1]: ${NO_VERSION}, got NaN`],
  [{ accepts: Array(65).fill(1) }, 'accepts: must be a list of at most 64 values, got 65'],
  [{ channel: 0x0f }, `channel: ${NO_CHANNEL}, got 15`],
  [{ channel: 256 }, `channel: ${NO_CHANNEL}, got 256`],
  [{ channel: null }, `channel: ${NO_CHANNEL}, got null`],
  [{ priority: 0 }, 'priority: must be a finite number above 0, got 0'],
  [{ priority: NaN }, 'priority: must be a finite number above 0, got NaN'],
  [{ priority: Infinity }, 'priority: must be a finite number above 0, got Infinity'],
  [{ doc: 5 }, `doc: ${NO_DOC}, got 5`],
  [{ doc: 'a'.repeat(4_097) }, `doc: ${NO_DOC}, got "${'a'.repeat(64)}…"`],
  [{ ordered: 1 }, 'ordered: must be true or false, got 1'],
  [{ chanel: 3 }, "chanel: unknown option; did you mean 'channel'?"],
  [
    { version: -1, ordered: 1 },
    `version: ${NO_VERSION}, got -1; ordered: must be true or false, got 1`,
  ],
  [{ methods: undefined }, `methods: is required: ${NO_METHODS}`],
  [{ methods: [] }, `methods: ${NO_METHODS}, got a list`],
  [{ methods: { a: 5 } }, 'methods.a: must be an object of options, got 5'],
  [{ methods: { 'a b': null } }, 'methods["a b"]: must be an object of options, got null'],
  [
    { methods: { then: { request: bytes } } },
    "methods.then: must have another name: `await` takes a client with a method 'then' for a promise, and hangs",
  ],
  [method({ id: null }), `methods.a.id: ${NO_ID}, got null`],
  [method({ id: 0 }), `methods.a.id: ${NO_ID}, got 0`],
  [method({ id: 2 ** 32 }), `methods.a.id: ${NO_ID}, got 4294967296`],
  [method({ request: undefined }), `methods.a.request: is required: ${NO_CODEC}`],
  [method({ response: { name: 'x' } }), `methods.a.response: ${NO_CODEC}, got an object`],
  [
    method({ request: owned({ name: 'x' } as never) }),
    `methods.a.request: ${NO_CODEC}, got an object`,
  ],
  [method({ request: null }), `methods.a.request: ${NO_CODEC}, got null`],
  [
    { methods: { a: { id: 1, request: bytes }, b: { id: 1, request: bytes } } },
    'methods.b: has the id of "a", 1; give one of them another `id`',
  ],
  [
    { methods: { watchRecordAll: { request: bytes }, dropRooms: { request: bytes } } },
    'methods.dropRooms: has the id of "watchRecordAll", 71244556; give one of them another `id`',
  ],
  [
    { methods: { a: { id: methodId('b'), request: bytes }, b: { request: bytes } } },
    `methods.b: has the id of "a", ${methodId('b')}; give one of them another \`id\``,
  ],
  [
    method({ response: bytes, download: bytes }),
    'methods.a: has both response and download; a method that streams its answers has download alone',
  ],
  [method({ upload: bytes }), 'methods.a: has upload, so it needs response or download'],
  [method({ uplaod: bytes }), "methods.a.uplaod: unknown option; did you mean 'upload'?"],
  [method({ timeout: 0 }), 'methods.a.timeout: must be milliseconds above 0, or Infinity, got 0'],
  [
    method({ timeout: NaN }),
    'methods.a.timeout: must be milliseconds above 0, or Infinity, got NaN',
  ],
];
for (const [changes, told] of refused) {
  const message = told.startsWith('defineProtocol') ? told : `defineProtocol "raft": ${told}`;
  test(`refused: ${message}`, (t) => t.is(messageOf(changes), message));
}

test('values at the limits are accepted', (t) => {
  const accepted: object[] = [
    { name: 'a'.repeat(255) },
    { version: 0 },
    { version: 2 ** 32 - 1 },
    { channel: 0x10 },
    { channel: 0xff },
    { accepts: [0, 1, 2 ** 32 - 1] },
    { methods: { a: { id: 1, request: bytes, timeout: Infinity } } },
    { methods: Object.assign(Object.create(null), { a: { id: 1, request: bytes } }) },
  ];
  for (const changes of accepted) t.is(messageOf(changes), 'accepted');
});

test('an argument that is not a definition is a TypeError', (t) => {
  for (const definition of [undefined, null, 5, 'raft', []])
    t.throws(() => defineProtocol(definition as any), {
      instanceOf: TypeError,
      message: /^defineProtocol: expected an object/,
    });
});

test('the default channel is a hash of the name from 0x10 to 0xff, and names spread evenly', (t) => {
  const { channel: _, ...bare } = common;
  // docs/wire-vectors.json lists the same examples.
  for (const [name, channel] of [
    ['lab', 180],
    ['raft', 62],
    ['greeter', 61],
    ['größe', 90],
    ['🦊', 88],
  ] as const) {
    t.is(defineProtocol({ ...bare, name }).channel, channel, name);
    t.is(defineProtocol({ ...bare, name, channel: undefined }).channel, channel, name);
  }
  t.is(defineProtocol({ ...common, name: 'lab', channel: 0x33 }).channel, 0x33);
  const count = new Map<number, number>();
  for (let i = 0; i < 24_000; i++) {
    const { channel } = defineProtocol({ ...bare, name: `service-${i}` });
    count.set(channel, (count.get(channel) ?? 0) + 1);
  }
  t.is(count.size, 240);
  t.deepEqual([Math.min(...count.keys()), Math.max(...count.keys())], [0x10, 0xff]);
  t.true(Math.max(...count.values()) < 160 && Math.min(...count.values()) > 50);
  t.throws(() => defineProjectProtocol({ ...bare }), {
    instanceOf: TypeError,
    message: /channel: is required: must be an integer from 0 to 255/,
  });
});

test("the project's own protocols are on the channels below 0x10", (t) => {
  t.is(defineProjectProtocol({ ...common, channel: 0 }).channel, 0);
  t.is(defineProjectProtocol({ ...common, channel: 0xff }).channel, 0xff);
});

test('only the result of defineProtocol is a protocol', (t) => {
  const protocol = defineProtocol(common);
  t.true(isProtocol(protocol));
  for (const other of [undefined, null, {}, common, { ...protocol }, 'raft']) {
    t.false(isProtocol(other));
    t.throws(() => methodTable(other as Protocol), {
      instanceOf: TypeError,
      message: /was not made by defineProtocol/,
    });
  }
});
