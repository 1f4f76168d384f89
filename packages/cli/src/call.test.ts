// Tests of call: every kind of method, inputs, outputs, and errors with their exit codes.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { socketError } from '@trunkline/transport-core/backend';
import test from 'ava';
import { errorText } from './output.ts';
import { folder, startNode, trunkline } from './testing/fixture.ts';

test('a unary method is called with JSON from an argument, a file or the standard input', async (t) => {
  const { address } = await startNode(t);
  const call = ['call', 'demo/greet', '-a', address];
  const expected = { code: 0, out: '{"text":"Hello, Ada!"}\n', err: '' };
  t.deepEqual(await trunkline([...call, '{"name":"Ada"}']), expected);
  t.deepEqual(await trunkline([...call, '-'], { input: '{"name":\n"Ada"}' }), expected);
  const file = join(await folder(t), 'request.json');
  await writeFile(file, '{"name":"Ada"}');
  t.deepEqual(await trunkline([...call, '--from-file', file]), expected);
  const { out } = await trunkline([...call, '{"name":"Ada"}'], { isTerminal: true });
  t.is(out, '{\n  "text": "Hello, Ada!"\n}\n');
});

test('call and bench send null, from an argument, a file or the standard input', async (t) => {
  const { address } = await startNode(t);
  const file = join(await folder(t), 'request.json');
  await writeFile(file, 'null');
  const given: [string[], string][] = [
    [['null'], ''],
    [['-'], 'null'],
    [['--from-file', file], ''],
  ];
  for (const [args, input] of given) {
    const call = await trunkline(['call', 'demo/same', ...args, '-a', address], { input });
    t.deepEqual(call, { code: 0, out: 'null\n', err: '' });
    const bench = ['bench', 'demo/same', ...args, '-n', '2', '--json', '-a', address];
    const { out, err } = await trunkline(bench, { input });
    t.is(err, '');
    t.like(JSON.parse(out), { calls: 2, failed: 0 });
  }
});

test('streams are NDJSON in and out', async (t) => {
  const { address, notes } = await startNode(t);
  const to = ['-a', address];
  t.is((await trunkline(['call', 'demo/sum', ...to], { input: '1\n2\n\n3' })).out, '6\n');
  const file = join(await folder(t), 'values.ndjson');
  await writeFile(file, '4\n5\n');
  t.is((await trunkline(['call', 'demo/sum', '--items', file, ...to])).out, '9\n');
  t.is((await trunkline(['call', 'demo/count', '3', ...to])).out, '1\n2\n3\n');
  const echoed = await trunkline(['call', 'demo/echo', ...to], { input: '"AQI="\n"Aw=="\n' });
  t.deepEqual(echoed, { code: 0, out: '"AQI="\n"Aw=="\n', err: '' });
  t.deepEqual(await trunkline(['call', 'demo/note', '"hi"', ...to]), {
    code: 0,
    out: '',
    err: 'sent\n',
  });
  t.deepEqual(notes, ['hi']);
});

test('a method is called with a description from a file, without reflection', async (t) => {
  const { address } = await startNode(t);
  const bare = await startNode(t, { isBare: true });
  const file = join(await folder(t), 'demo.json');
  const described = await trunkline(['describe', 'demo', '--json', '-a', address]);
  await writeFile(file, described.out);
  const call = ['call', 'demo/greet', '{"name":"Ada"}', '-a', bare.address];
  t.is((await trunkline([...call, '--schema', file])).out, '{"text":"Hello, Ada!"}\n');
  const { code, err } = await trunkline(call);
  t.is(code, 22);
  t.regex(err, /^trunkline: unimplemented: .*its program must call serveReflection.*\n$/);
});

// Each mistake gives one line that says what to do, and an exit code of its own.
const mistakes: [title: string, args: string[], code: number, err: RegExp][] = [
  ['a wrong method', ['demo/great', '{}'], 15, /no method 'great'; it has greet, note, sum/],
  ['a method in wrong case', ['demo/Greet', '{}'], 15, /did you mean 'greet'\?/],
  ['a wrong protocol', ['demos/greet', '{}'], 15, /no protocol 'demos'; it has demo/],
  [
    'a wrong field',
    ['demo/greet', '{"nme":"Ada"}'],
    2,
    /value\.nme: unknown field; known here: name/,
  ],
  [
    'a value of the wrong type',
    ['demo/greet', '{"name":5}'],
    13,
    /request\.name: .*expected string/,
  ],
  ['an error of the handler', ['demo/greet', '{"name":""}'], 15, /not_found: nobody to greet/],
  ['no slash', ['greet', '{}'], 2, /expected a method as 'protocol\/method', got 'greet'/],
  ['no JSON', ['demo/greet', '{name}'], 2, /the request is not JSON/],
  ['a missing file', ['demo/greet', '--from-file', '/nonexistent'], 15, /\/nonexistent/],
  ['a timeout', ['demo/hang', '{}', '--timeout', '300ms'], 14, /deadline_exceeded/],
  [
    'a wrong timeout',
    ['demo/greet', '{}', '--timeout', 'soon'],
    2,
    /expected a time such as 500ms/,
  ],
  ['an unknown option', ['demo/greet', '--frm-file', 'x'], 2, /unknown option/],
];
for (const [title, args, code, err] of mistakes) {
  test(`${title} gives one clear line and the exit code ${code}`, async (t) => {
    const { address } = await startNode(t);
    const outcome = await trunkline(['call', ...args, '-a', address]);
    t.is(outcome.code, code, outcome.err);
    t.is(outcome.out, '');
    t.regex(outcome.err, err);
    t.regex(outcome.err, /^trunkline: /);
    if (!title.includes('option')) t.is(outcome.err.trimEnd().split('\n').length, 1);
  });
}

test('an unreachable node and a denied call give one clear line', async (t) => {
  const { address } = await startNode(t, {
    allow: (_, __, { authorization }) => authorization === 'k',
  });
  const call = ['call', 'demo/greet', '{"name":"Ada"}'];
  const nobody = await trunkline([...call, '-a', 'tcp://127.0.0.1:1']);
  t.is(nobody.code, 24);
  t.regex(
    nobody.err,
    /^trunkline: unavailable \(connection_refused\): .*check that the peer is running.*\n$/,
  );
  const unknown = { syscall: 'getaddrinfo', code: 'ENOTFOUND' };
  t.is(errorText(socketError(unknown, 'dial', 'tcp://x:1'), false).match(/spell/g)?.length, 1);
  const portless = await trunkline([...call, '-a', '127.0.0.1']);
  t.is(portless.code, 2);
  t.regex(portless.err, /'127\.0\.0\.1' has no port; write tcp:\/\/127\.0\.0\.1:<port>\n$/);
  const denied = await trunkline([...call, '-a', address]);
  t.is(denied.code, 17);
  t.regex(denied.err, /^trunkline: permission_denied \(denied\): .*give --token.*\n$/);
  t.is((await trunkline([...call, '-a', address, '--token', 'k'])).code, 0);
  const which = await trunkline(call);
  t.is(which.code, 2);
  t.regex(which.err, /which node\?/);
});

test('with --json, errors are JSON, too', async (t) => {
  const { err, code } = await trunkline(['ls', '--json', '-a', 'tcp://127.0.0.1:1']);
  t.is(code, 24);
  t.like(JSON.parse(err).error, { code: 'unavailable', reason: 'connection_refused' });
});

test('an interrupted command ends with 130, and a long one shows its progress', async (t) => {
  const { address } = await startNode(t);
  const interrupt = new AbortController();
  const outcome = await trunkline(['call', 'demo/hang', '-a', address], {
    showsProgress: true,
    interrupted: interrupt.signal,
    onErr: (text) => text.includes('waiting') && interrupt.abort(new Error('interrupted')),
  });
  t.is(outcome.code, 130);
  t.regex(outcome.err, /waiting … \d+ s \(Ctrl-C ends\)/);
  t.true(outcome.err.endsWith('\r\u001b[K'));
});
