// Tests of saving and loading identities, even by several processes at the same time.

import { execFile, execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { typeError } from '../testing/type-error.ts';
import { createIdentity } from './identity.ts';
import { loadIdentity, loadOrCreateIdentity, saveIdentity } from './key-file.ts';
import { KEY_TYPES } from './public-key.ts';
import { selfSigned } from './self-signed.ts';
import { fails, folder } from './testing/folder.ts';
import { GOLDEN } from './testing/golden.ts';

const onUnix = platform === 'win32' ? test.skip : test;
const asRoot = process.getuid?.() === 0 ? test : test.skip;
const asUser = process.getuid?.() === 0 ? test.skip : onUnix;

const key = async (t: ExecutionContext) => join(await folder(t), 'node.key');
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

for (const type of KEY_TYPES) {
  test(`${type}: a saved identity can be loaded`, async (t) => {
    const path = await key(t);
    const identity = createIdentity({ type });
    await saveIdentity(path, identity);
    const loaded = await loadIdentity(path);
    t.is(loaded.nodeId, identity.nodeId);
    t.is(loaded.key, identity.key);
    t.is(await readFile(path, 'utf8'), identity.key);
    t.deepEqual(await readdir(join(path, '..')), ['node.key']);
  });
}

onUnix('a key file has mode 0600, whatever the umask', async (t) => {
  const path = await key(t);
  await saveIdentity(path, createIdentity());
  t.is(await modeOf(path), 0o600);
  const script = new URL('./key-file.test.child.js', import.meta.url).pathname;
  for (const umask of ['000', '277']) {
    const other = await key(t);
    execFileSync('/bin/sh', [
      '-c',
      `umask ${umask} && exec "$0" "$1" "$2"`,
      process.execPath,
      script,
      other,
    ]);
    t.is(await modeOf(other), 0o600, umask);
  }
});

test('an existing key is overwritten only on request', async (t) => {
  const path = await key(t);
  const [first, second] = [createIdentity(), createIdentity()];
  await saveIdentity(path, first);
  const error = await fails(t, saveIdentity(path, second), 'already_exists', /overwrite: true/);
  t.true(
    error.message.startsWith(
      `saveIdentity: ${path}: the file contains the key of ${first.nodeId};`,
    ),
  );
  t.is((await loadIdentity(path)).nodeId, first.nodeId);
  await saveIdentity(path, second, { overwrite: true });
  t.is((await loadIdentity(path)).nodeId, second.nodeId);
  t.deepEqual(await readdir(join(path, '..')), ['node.key']);
});

test('the same key may be saved again, and the file is not touched', async (t) => {
  const path = await key(t);
  const identity = createIdentity();
  await saveIdentity(path, identity);
  await utimes(path, 1, 1);
  await saveIdentity(path, identity);
  t.is((await stat(path)).mtimeMs, 1_000);
});

test('any other existing file is not overwritten either', async (t) => {
  const root = await folder(t);
  await writeFile(join(root, 'text'), 'hello', { mode: 0o600 });
  await mkdir(join(root, 'folder'));
  for (const name of ['text', 'folder'])
    await fails(
      t,
      saveIdentity(join(root, name), createIdentity()),
      'already_exists',
      /contains something other than a key/,
    );
  t.is(await readFile(join(root, 'text'), 'utf8'), 'hello');
  t.deepEqual((await readdir(root)).sort(), ['folder', 'text']);
  await fails(
    t,
    saveIdentity(join(root, 'folder'), createIdentity(), { overwrite: true }),
    'invalid_argument',
    /it is a folder/,
  );
});

onUnix('a key that others can read or write is not loaded', async (t) => {
  const path = await key(t);
  await saveIdentity(path, createIdentity());
  for (const mode of [0o640, 0o620, 0o604, 0o602, 0o644, 0o666]) {
    await chmod(path, mode);
    const error = await fails(
      t,
      loadIdentity(path),
      'permission_denied',
      new RegExp(`its mode is 0${mode.toString(8)}, .*'chmod 600 ${path}'`),
    );
    t.is(error.target, path);
    await fails(t, loadOrCreateIdentity(path), 'permission_denied', /its mode is/);
    await fails(t, saveIdentity(path, createIdentity()), 'permission_denied', /its mode is/);
  }
  for (const mode of [0o600, 0o400, 0o700]) {
    await chmod(path, mode);
    await t.notThrowsAsync(loadIdentity(path));
  }
});

asRoot('a key of another user is not loaded', async (t) => {
  const path = await key(t);
  await saveIdentity(path, createIdentity());
  await chown(path, 12_345, 12_345);
  await fails(
    t,
    loadIdentity(path),
    'permission_denied',
    /it belongs to user 12345, but this process runs as 0; if you trust the key, run 'chown 0/,
  );
});

asUser('a key that may not be read is permission_denied', async (t) => {
  const path = await key(t);
  await saveIdentity(path, createIdentity());
  await chmod(path, 0);
  await fails(t, loadIdentity(path), 'permission_denied', /\(EACCES\)/);
});

test('a missing file or a file without a key is reported with its path', async (t) => {
  const root = await folder(t);
  const put = async (name: string, text: string) => {
    await writeFile(join(root, name), text, { mode: 0o600 });
    return join(root, name);
  };
  const missing = await fails(
    t,
    loadIdentity(join(root, 'none')),
    'not_found',
    /no such file; save one at this path first, or correct the path \(ENOENT\)/,
  );
  t.is((missing.cause as { code: string }).code, 'ENOENT');
  t.true(missing.message.startsWith(`loadIdentity: ${join(root, 'none')}: `));
  await fails(t, loadIdentity(root), 'invalid_argument', /is not a regular file/);
  await fails(
    t,
    loadIdentity(join(await put('file', 'x'), 'below')),
    'invalid_argument',
    /no folder.*ENOTDIR/,
  );
  await fails(
    t,
    loadIdentity(await put('cert', await selfSigned(createIdentity()))),
    'invalid_argument',
    /\/cert: found a certificate;/,
  );
  await fails(
    t,
    loadIdentity(await put('large', 'x'.repeat(2_000_000))),
    'invalid_argument',
    /has 2000000 bytes/,
  );
  await fails(t, loadIdentity(join(root, 'x'.repeat(300))), 'invalid_argument', /too long/);
  await fails(
    t,
    saveIdentity(join(root, 'none', 'key'), createIdentity()),
    'not_found',
    /its folder does not exist; make it \('mkdir -p'\)/,
  );
  await fails(
    t,
    loadOrCreateIdentity(join(root, 'none', 'key')),
    'not_found',
    /^loadOrCreateIdentity: .*its folder does not exist/,
  );
});

onUnix('a pipe does not block', async (t) => {
  const path = await key(t);
  execFileSync('mkfifo', ['-m', '600', path]);
  await fails(t, loadIdentity(path), 'invalid_argument', /is not a regular file/);
  // Removed here, because the removal of the folder would stat the pipe, after which Node 20
  // resolves imports wrongly (nodejs/node#51142).
  await unlink(path);
});

onUnix(
  'a symbolic link to a key is followed, and a dangling link is not overwritten',
  async (t) => {
    const path = await key(t);
    const identity = createIdentity();
    await saveIdentity(path, identity);
    await symlink('node.key', `${path}.link`);
    t.is((await loadIdentity(`${path}.link`)).nodeId, identity.nodeId);
    await symlink('nowhere', `${path}.dangling`);
    await fails(
      t,
      saveIdentity(`${path}.dangling`, identity),
      'already_exists',
      /contains something other than a key/,
    );
  },
);

onUnix(
  'an overwritten key is gone from its other names too only if they are removed: the old file is not written into',
  async (t) => {
    const path = await key(t);
    const [first, second] = [createIdentity(), createIdentity()];
    await saveIdentity(path, first);
    await link(path, `${path}.old`);
    await saveIdentity(path, second, { overwrite: true });
    t.is((await loadIdentity(`${path}.old`)).nodeId, first.nodeId);
  },
);

onUnix('a full disk leaves nothing behind', async (t) => {
  const path = await key(t);
  const script = new URL('./key-file.test.child.js', import.meta.url).pathname;
  // The limit is 0 blocks, so every write fails with EFBIG.
  const run = promisify(execFile)('/bin/sh', [
    '-c',
    `trap '' XFSZ; ulimit -f 0 && exec "$0" "$1" "$2"`,
    process.execPath,
    script,
    path,
  ]);
  const { stderr } = (await t.throwsAsync(run)) as Error & { stderr: string };
  t.regex(stderr, /loadOrCreateIdentity: .*there is no room left; make some \(EFBIG\)/);
  t.deepEqual(await readdir(join(path, '..')), []);
});

test('loadOrCreateIdentity creates an identity the first time, and loads it later', async (t) => {
  const path = await key(t);
  const first = await loadOrCreateIdentity(path, { type: 'p256' });
  t.is(first.type, 'p256');
  t.is((await loadOrCreateIdentity(path)).nodeId, first.nodeId);
  t.is((await loadOrCreateIdentity(path, { type: 'p256' })).nodeId, first.nodeId);
  const error = await fails(
    t,
    loadOrCreateIdentity(path, { type: 'ed25519' }),
    'failed_precondition',
    /key has the type 'p256', but type 'ed25519' was requested/,
  );
  t.is(error.target, path);
});

test('concurrent calls all get the same identity', async (t) => {
  const path = await key(t);
  const ids = await Promise.all(
    Array.from({ length: 30 }, async () => (await loadOrCreateIdentity(path)).nodeId),
  );
  t.is(new Set(ids).size, 1);
  t.deepEqual(await readdir(join(path, '..')), ['node.key']);
});

test('concurrent processes all get the same identity', async (t) => {
  const path = await key(t);
  const script = new URL('./key-file.test.child.js', import.meta.url).pathname;
  const runs = Array.from({ length: 6 }, () =>
    promisify(execFile)(process.execPath, [script, path]),
  );
  const ids = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  t.is(new Set(ids).size, 1);
  t.is(ids[0], (await loadIdentity(path)).nodeId);
  t.deepEqual(await readdir(join(path, '..')), ['node.key']);
});

test('invalid arguments of a key file throw TypeErrors that name them', async (t) => {
  const identity = createIdentity();
  for (const path of ['', undefined, 4, 'a\0b'] as string[]) {
    for (const call of [
      () => loadIdentity(path),
      () => saveIdentity(path, identity),
      () => loadOrCreateIdentity(path),
    ]) {
      await t.throwsAsync(call(), typeError(/path: must be the path of a file/));
    }
  }
  await t.throwsAsync(
    saveIdentity('x', GOLDEN.p256.pem as never),
    typeError(/^saveIdentity: expected an identity/),
  );
  await t.throwsAsync(
    saveIdentity('x', identity, { overwrite: 1 } as never),
    typeError(/^saveIdentity: overwrite: must be true or false/),
  );
  await t.throwsAsync(
    loadOrCreateIdentity('x', { type: 'rsa' } as never),
    typeError(/type: must be/),
  );
});
