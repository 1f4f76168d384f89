// Tests of option parsing: defaults, freezing and error messages.

import test from 'ava';
import { commonOptions } from './common-options.ts';
import {
  callback,
  dependentGroup,
  extendOptions,
  group,
  integer,
  milliseconds,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  refuseUnknown,
  text,
  withDefault,
} from './config.ts';
import { misuseOf } from './protocol/testing/refused.ts';

const schema = optionsSchema({
  addr: text(),
  size: withDefault(integer(1, 10), 5),
  wait: optional(milliseconds()),
  on: optional(callback<() => void>()),
  tool: optional(
    reference<{ use(): void }>((value) => typeof (value as any)?.use === 'function', 'a tool'),
  ),
  deep: group({
    depth: withDefault(integer(1, 3), 1),
    more: group({ x: optional(integer(0, 9)) }),
  }),
  pair: dependentGroup(
    { low: optional(integer(0, 100)), high: optional(integer(0, 100)) },
    ({ low = 1, high = 2 }, report) => {
      if (low > high) report('low', `must be at most pair.high (${high})`);
      return { low, high };
    },
  ),
});
const messageOf = (input: unknown) => misuseOf(() => parseOptions(schema, input, 'createThing'));

test('omitted and undefined options get their defaults', (t) => {
  const expected = { addr: 'a', size: 5, deep: { depth: 1, more: {} }, pair: { low: 1, high: 2 } };
  t.deepEqual(parseOptions(schema, { addr: 'a' }, 'x'), expected as any);
  const given = {
    addr: 'a',
    size: undefined,
    wait: undefined,
    on: undefined,
    deep: undefined,
    pair: undefined,
  };
  t.is(JSON.stringify(parseOptions(schema, given, 'x')), JSON.stringify(expected));
  t.is(parseOptions(schema, { addr: 'a', deep: { depth: 2, more: undefined } }, 'x').deep.depth, 2);
});

test('unknown names are ignored if their value is undefined', (t) => {
  t.notThrows(() => parseOptions(schema, { addr: 'a', nme: undefined }, 'x'));
  t.notThrows(() => refuseUnknown({ nme: undefined }, 'x', []));
  t.throws(() => refuseUnknown({ nme: 1 }, 'x', ['name', 'other'] as never), {
    instanceOf: TypeError,
    message: "x: nme: unknown option; did you mean 'name'?",
  });
  t.throws(() => refuseUnknown(5 as never, 'x', []), {
    instanceOf: TypeError,
    message: 'x: expected an object of options, got 5',
  });
});

test('the result is deeply frozen and shares no group with the input', (t) => {
  const input = { addr: 'a', deep: { more: { x: 1 } } };
  const config = parseOptions(schema, input, 'x');
  for (const part of [config, config.deep, config.deep.more, config.pair])
    t.true(Object.isFrozen(part));
  t.false(Object.isFrozen(input.deep.more));
  input.deep.more.x = 2;
  t.is(config.deep.more.x, 1);
});

test('functions and tools pass by reference, unfrozen', (t) => {
  const tool = { use() {}, state: { n: 0 } };
  const on = () => {};
  const config = parseOptions(schema, { addr: 'a', tool, on }, 'x');
  t.is(config.tool as unknown, tool);
  t.is(config.on, on);
  t.false(Object.isFrozen(tool) || Object.isFrozen(tool.state) || Object.isFrozen(on));
});

test('every wrong option is named by its path, its rule and its value, and an unknown one by the nearest known', (t) => {
  for (const [options, message] of [
    [{ addr: 'a', deep: { depth: 12 } }, 'deep.depth: must be an integer from 1 to 3, got 12'],
    [
      { addr: 'a', deep: { more: { x: 'one' } } },
      'deep.more.x: must be an integer from 0 to 9, got "one"',
    ],
    [{ addr: 'a', wait: 0 }, 'wait: must be milliseconds above 0, at most 2147483647, got 0'],
    [{ addr: 'a', on: 1 }, 'on: must be a function, got 1'],
    [{ addr: 'a', tool: {} }, 'tool: must be a tool, got an object'],
    [{ addr: 'a', deep: 3 }, 'deep: must be an object of options, got 3'],
    [{ addr: 'a', size: null }, 'size: must be an integer from 1 to 10, got null'],
    [
      { addr: 'a', size: 0, deep: { depth: 0 } },
      'size: must be an integer from 1 to 10, got 0; deep.depth: must be an integer from 1 to 3, got 0',
    ],
    [{ addr: 'a', sise: 1 }, "sise: unknown option; did you mean 'size'?"],
    [{ addr: 'a', deep: { dept: 1 } }, "deep.dept: unknown option; did you mean 'depth'?"],
    [{ addr: 'a', pair: { hihg: 1 } }, "pair.hihg: unknown option; did you mean 'high'?"],
    [
      { addr: 'a', deep: { more: { completely: 1 } } },
      'deep.more.completely: unknown option; the options are x',
    ],
    [{ addr: 'a', pair: { low: 9, high: 3 } }, 'pair.low: must be at most pair.high (3), got 9'],
  ] as const)
    t.is(messageOf(options), `createThing: ${message}`);
});

test('invalid numbers are refused', (t) => {
  for (const size of [NaN, Infinity, -1, 1.5, '5', 5n, [5]])
    t.regex(messageOf({ addr: 'a', size }), /^createThing: size: must be an integer/);
  for (const wait of [NaN, Infinity, -1, 2 ** 31])
    t.regex(messageOf({ addr: 'a', wait }), /^createThing: wait: must be milliseconds/);
});

test('a missing required option is reported as required', (t) => {
  t.regex(messageOf({}), /^createThing: addr: is required: must be a string/);
  t.is(messageOf(undefined), 'createThing: expected an object of options, got undefined');
  t.is(messageOf('tcp'), 'createThing: expected an object of options, got "tcp"');
});

test('a key __proto__ is an unknown option and changes nothing', (t) => {
  t.regex(
    messageOf(JSON.parse('{"addr":"a","__proto__":{"size":3}}')),
    /__proto__: unknown option/,
  );
});

test('a backend extends the common options by its own', (t) => {
  const own = extendOptions(commonOptions, { bindAddr: withDefault(text(), '127.0.0.1:0') });
  const config = parseOptions(own, { timeout: 5 }, 'createTransport');
  t.is(config.bindAddr, '127.0.0.1:0');
  t.is(config.timeout, 5);
  t.is(config.limits.packet, 65_536);
  const error = t.throws(() => parseOptions(own, { limits: { packet: 12 } }, 'createTransport'), {
    instanceOf: TypeError,
  });
  t.is(
    error.message,
    'createTransport: limits.packet: must be an integer from 4096 to 1048576, got 12',
  );
});
