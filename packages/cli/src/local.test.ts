// Tests of the commands that need no node: certificates, contexts, completion, help.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { helpPage } from './help-page.ts';
import { folder, startNode, trunkline } from './testing/fixture.ts';

test('certificates are made with one line each, and calls over TLS use them', async (t) => {
  const path = await folder(t);
  const ca = join(path, 'ca');
  const server = join(path, 'server');
  const user = join(path, 'user');
  t.is((await trunkline(['cert', 'ca', '-o', ca])).code, 0);
  t.is((await trunkline(['cert', 'issue', '--authority', ca, '-o', server])).code, 0);
  const issued = await trunkline(['cert', 'issue', '--authority', ca, '-o', user, '--json']);
  const { nodeId } = JSON.parse(issued.out);
  t.is((await stat(`${user}.key`)).mode & 0o777, 0o600);
  const shown = JSON.parse((await trunkline(['cert', 'show', `${user}.crt`, '--json'])).out);
  t.like(shown, { nodeId, kind: 'node' });
  const key = JSON.parse((await trunkline(['cert', 'key', '-o', user, '--json'])).out);
  t.is(key.nodeId, nodeId);
  const read = (file: string) => readFile(file, 'utf8');
  const tls = {
    key: await read(`${server}.key`),
    cert: await read(`${server}.crt`),
    ca: await read(`${ca}.crt`),
  };
  const { address } = await startNode(t, { tls, allow: (remote) => remote.nodeId === nodeId });
  const files = ['--ca', `${ca}.crt`, '--cert', `${user}.crt`, '--key', `${user}.key`];
  const call = ['call', 'demo/greet', '{"name":"Ada"}'];
  t.is((await trunkline([...call, '-a', address, ...files])).out, '{"text":"Hello, Ada!"}\n');
  const env = { TRUNKLINE_CONTEXTS: join(path, 'contexts.json') };
  const add = ['context', 'add', 'demo', '-a', address, ...files];
  t.is(
    (await trunkline(add, { env })).err,
    `saved in ${env.TRUNKLINE_CONTEXTS}, and used from now on\n`,
  );
  t.is((await trunkline(call, { env })).out, '{"text":"Hello, Ada!"}\n');
  const plain = await trunkline([...call, '-a', address, '--timeout', '2s']);
  t.not(plain.code, 0);
  t.regex(plain.err, /; if the node uses TLS, give --ca, --cert and --key\n$/);
  const noAuthority = await trunkline([...call, '-a', address, ...files.slice(2)]);
  t.is(noAuthority.code, 17);
  t.regex(noAuthority.err, /is not trusted: .*; give --ca, /);
  t.notRegex(noAuthority.err, /rule|--token/);
  const strict = await startNode(t, { tls: { ...tls, allow: ['0'.repeat(64)] } });
  const refused = await trunkline([...call, '-a', strict.address, ...files]);
  t.is(refused.code, 17);
  t.regex(refused.err, /is not allowed .*; the node refuses the connection: /);
  t.notRegex(refused.err, /reflection/);
  const half = await trunkline([...call, '-a', address, '--ca', `${ca}.crt`]);
  t.is(half.code, 2);
  t.regex(half.err, /TLS needs --key and --cert/);
  const lost = await trunkline([...call, '-a', address, '--cert', '/no/c', '--key', '/no/k']);
  t.is(lost.code, 15);
});

test('replay writes the page of a recording, and prints its report', async (t) => {
  const file = join(await folder(t), 'failure.json');
  const node = { name: 'n1', kind: 'node', up: true, state: 'leader', log: [], calls: [] };
  const disk = { waits: [], disk: [], moreOnDisk: 0, unsynced: 0 };
  const recording = {
    format: 'trunkline-recording',
    version: 1,
    seed: 3,
    level: 'message',
    hash: 'f0',
    failure: { rule: 'one leader', message: 'one leader: n1 and n2 lead', at: 12 },
    events: [{ event: 0, at: 0, kind: 'booted', from: 'n1' }],
    dropped: 0,
    start: [],
    nodes: [{ ...node, ...disk }],
    at: 12,
  };
  await writeFile(file, JSON.stringify(recording));
  const { code, out } = await trunkline(['replay', file]);
  t.is(code, 0);
  t.regex(
    out,
    /^one leader: n1 and n2 lead\n1 events; the nodes at 12 ms:\nn1: leader\npage: file:/,
  );
  t.regex(await readFile(file.replace('.json', '.html'), 'utf8'), /id="recording">\{"format"/);
  const other = join(await folder(t), 'page.html');
  const json = JSON.parse((await trunkline(['replay', file, '-o', other, '--json'])).out);
  t.like(json, { seed: 3, hash: 'f0', failure: { at: 12 }, nodes: [{ name: 'n1' }] });
  t.true(json.page.endsWith('page.html'));
  await writeFile(file, '{}');
  const wrong = await trunkline(['replay', file]);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /failure\.json: this is no recording: /);
  t.is((await trunkline(['replay', '/no/where.json'])).code, 15);
});

test('contexts are saved, listed, chosen and removed, and tokens are not shown', async (t) => {
  const path = await folder(t);
  const env = { TRUNKLINE_CONTEXTS: join(path, 'folder', 'contexts.json') };
  const context = (...args: string[]) => trunkline(['context', ...args], { env });
  t.is((await context('add', 'a', '-a', 'tcp://a:1', '--token', 'secret')).code, 0);
  t.is(
    (await context('add', 'b', '-a', 'tcp://b:1', '--network', 'test')).err,
    `saved in ${env.TRUNKLINE_CONTEXTS}\n`,
  );
  t.is((await stat(env.TRUNKLINE_CONTEXTS)).mode & 0o777, 0o600);
  const listed = await context('ls');
  t.is(
    listed.out,
    '  NAME  ADDRESS    TLS  TOKEN  NETWORK\n* a     tcp://a:1  no   yes    default\n  b     tcp://b:1  no   no     test\n',
  );
  t.false((await context('ls', '--json')).out.includes('secret'));
  t.is((await context('use', 'b')).code, 0);
  t.regex((await context('ls')).out, /\* b/);
  t.is((await context('rm', 'b')).code, 0);
  t.is((await context('use', 'b')).code, 15);
  t.is((await context('add', 'c')).code, 2);
  const unknown = await trunkline(['ls', '--context', 'x'], { env });
  t.deepEqual(
    [unknown.code, unknown.err],
    [15, "trunkline: not_found: there is no context 'x'; known: a\n"],
  );
});

test('a token of a context is not sent to another address', async (t) => {
  const { address } = await startNode(t, {
    allow: (_, __, { authorization }) => authorization === undefined,
  });
  const env = { TRUNKLINE_CONTEXTS: join(await folder(t), 'contexts.json') };
  await trunkline(['context', 'add', 'a', '-a', 'tcp://a:1', '--token', 'secret'], { env });
  t.is((await trunkline(['ls', '-a', address], { env })).code, 0);
  t.is((await trunkline(['ls', '-a', address, '--context', 'a'], { env })).code, 17);
  const variables = { ...env, TRUNKLINE_ADDRESS: address, TRUNKLINE_TOKEN: 'x' };
  t.is((await trunkline(['ls'], { env: variables })).code, 17);
  const named = { ...env, TRUNKLINE_CONTEXT: 'a' };
  t.is((await trunkline(['ls', '-a', address], { env: named })).code, 0);
  await trunkline(['context', 'add', 'b', '-a', address], { env });
  const other = { ...env, TRUNKLINE_ADDRESS: 'tcp://127.0.0.1:1' };
  t.is((await trunkline(['ls', '--context', 'b'], { env: other })).code, 0);
});

test('shells complete commands, options, choices and contexts', async (t) => {
  const env = { TRUNKLINE_CONTEXTS: join(await folder(t), 'contexts.json') };
  await trunkline(['context', 'add', 'prod', '-a', 'tcp://a:1'], { env });
  const complete = async (...words: string[]) =>
    (await trunkline(['complete', '--', ...words], { env })).out.trimEnd().split('\n');
  t.deepEqual(await complete('c'), ['call', 'cert', 'completion', 'context']);
  t.deepEqual(await complete('schema', ''), ['diff', 'export']);
  t.deepEqual(await complete('schema', 'export', '--fo'), ['--format']);
  t.deepEqual(await complete('schema', 'export', '--format', 'j'), ['json-schema']);
  t.deepEqual(await complete('ls', '--context', ''), ['prod']);
  t.deepEqual(await complete('context', 'use', 'p'), ['prod']);
  t.deepEqual(await complete('log-level', ''), ['debug', 'error', 'info', 'warn']);
  t.deepEqual(await complete('completion', 'z'), ['zsh']);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await trunkline(['completion', shell]);
    t.regex(out, /trunkline complete --/);
    const { out: json } = await trunkline(['completion', shell, '--json']);
    t.deepEqual(JSON.parse(json), { shell, script: out });
  }
  const { code, err } = await trunkline(['completion', 'dos']);
  t.is(code, 2);
  t.regex(err, /^trunkline: (?!trunkline)[^\n]*'dos'[^\n]*bash, zsh, fish[^\n]*\n$/);
});

test('every command has help, and a mistake suggests the right one', async (t) => {
  const help = await trunkline(['--help']);
  t.is(help.code, 0);
  t.regex(help.out, /\nExit codes:\n {4}0 done\n/);
  t.is((await trunkline(['call', '--help'])).code, 0);
  const { code, out } = await trunkline(['--version']);
  t.is(code, 0);
  t.regex(out, /^\d+\.\d+\.\d+\n$/);
  const wrong = await trunkline(['cal']);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /unknown command 'cal' \(Did you mean call\?\)/);
  const { out: add } = await trunkline(['context', 'add', '--help']);
  t.regex(add.replace(/\s+/g, ' '), /~\/\.config\/trunkline\/contexts\.json.*TRUNKLINE_CONTEXTS/);
});

test('wrong arguments give one line that names --help, or JSON', async (t) => {
  const mistakes = [['call'], ['foo'], ['--bogus'], ['peers', 'extra'], ['top', '--sort', 'x']];
  for (const args of mistakes) {
    const { code, out, err } = await trunkline(args);
    t.is(code, 2);
    t.is(out, '');
    t.regex(err, /^trunkline: (?!error)[^\n]+; --help shows the arguments and options\n$/);
    const json = await trunkline([...args, '--json']);
    t.is(json.code, 2);
    const { error } = JSON.parse(json.err);
    t.is(error.code, 'invalid_argument');
    t.notRegex(error.message, /^error|\n/);
  }
  const { code, err } = await trunkline(['cert']);
  t.is(code, 2);
  t.regex(err, /^Usage: trunkline cert /);
});

test('docs/cli.md is made from the help', async (t) => {
  const page = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  t.is(page, helpPage(), 'run `pnpm api`');
});
