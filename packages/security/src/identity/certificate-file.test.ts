// Tests of saving and loading certificates.

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { platform } from 'node:process';
import test from 'ava';
import { typeError } from '../testing/type-error.ts';
import { createAuthority } from './authority.ts';
import { loadCertificate, saveCertificate } from './certificate-file.ts';
import { createIdentity } from './identity.ts';
import { selfSigned } from './self-signed.ts';
import { fails, folder } from './testing/folder.ts';

test('a saved certificate is loaded again, and a newer one replaces it', async (t) => {
  const path = join(await folder(t), 'node.crt');
  const identity = createIdentity();
  for (let i = 0; i < 2; i++) {
    const cert = await selfSigned(identity);
    await saveCertificate(path, cert);
    t.is(await loadCertificate(path), cert);
  }
  if (platform !== 'win32') t.is((await stat(path)).mode & 0o777, 0o644);
  t.deepEqual(await readdir(join(path, '..')), ['node.crt']);
});

test('a chain is saved unchanged', async (t) => {
  const path = join(await folder(t), 'chain.crt');
  const authority = await createAuthority();
  const text = `leaf\n${await authority.issue(createIdentity())}authority\n${authority.cert}`;
  const chain = text.replaceAll('\n', '\r\n');
  await saveCertificate(path, chain);
  t.is(await readFile(path, 'utf8'), chain);
  t.is(await loadCertificate(path), chain);
});

test('a file that others can read never contains a private key', async (t) => {
  const path = join(await folder(t), 'node.crt');
  const identity = createIdentity();
  const cert = await selfSigned(identity);
  for (const pem of [identity.key, cert + identity.key, identity.key + cert]) {
    await fails(
      t,
      saveCertificate(path, pem),
      'invalid_argument',
      /it also contains a 'PRIVATE KEY', but a file of certificates may be read by anybody/,
    );
  }
  t.deepEqual(await readdir(join(path, '..')), []);
  await writeFile(path, cert + identity.key);
  await fails(t, loadCertificate(path), 'invalid_argument', /it also contains a 'PRIVATE KEY'/);
});

test('a file without a certificate is reported with its path', async (t) => {
  const root = await folder(t);
  const path = join(root, 'node.crt');
  await fails(
    t,
    saveCertificate(path, 'hello'),
    'invalid_argument',
    /saveCertificate: .*node\.crt: it contains no PEM/,
  );
  await fails(
    t,
    saveCertificate(path, (await selfSigned(createIdentity())).slice(0, 99)),
    'invalid_argument',
    /cut off/,
  );
  await fails(t, loadCertificate(path), 'not_found', /loadCertificate: .*node\.crt: no such file/);
  await fails(t, loadCertificate(root), 'invalid_argument', /is not a regular file/);
  await fails(
    t,
    saveCertificate(join(root, 'none', 'crt'), await selfSigned(createIdentity())),
    'not_found',
    /its folder does not exist/,
  );
  await mkdir(path);
  await fails(
    t,
    saveCertificate(path, await selfSigned(createIdentity())),
    'invalid_argument',
    /it is a folder/,
  );
  t.deepEqual(await readdir(root), ['node.crt']);
});

test('invalid arguments of a certificate file throw TypeErrors that name them', async (t) => {
  await t.throwsAsync(saveCertificate('', 'x'), typeError(/^saveCertificate: path:/));
  await t.throwsAsync(
    saveCertificate('x', undefined as never),
    typeError(/^saveCertificate: pem:/),
  );
  await t.throwsAsync(loadCertificate(4 as never), typeError(/^loadCertificate: path:/));
});
