// Saves and loads certificates in files that anybody may read.

import { TransportError } from '@trunkline/transport-core';
import { fileError, writeAtomically } from '@trunkline/transport-core/node';
import { pemBlocks } from './pem.ts';
import { checkPath, readTextFile } from './user-file.ts';

/**
 * Writes a certificate, PEM, or a chain of them, to a file of mode 0644. At any time, the file is
 * absent or contains the complete old or new content. An existing file is replaced, because
 * certificates are renewed.
 *
 * Rejects with `invalid_argument` if the text has a PEM block other than a certificate, in
 * particular a private key, or no block; with `not_found` if the folder is missing; with
 * `permission_denied`, `resource_exhausted` and so on for system errors; and with a TypeError if an
 * argument is not a string or the path is empty. Whether the blocks are valid certificates is not
 * checked.
 */
export async function saveCertificate(path: string, pem: string): Promise<void> {
  const caller = 'saveCertificate';
  checkPath(path, caller);
  if (typeof pem !== 'string')
    throw new TypeError(`${caller}: pem: must be the text of a certificate, got ${typeof pem}`);
  checkCertificates(pem, caller, path);
  try {
    await writeAtomically(path, pem, { mode: CERTIFICATE_MODE, overwrite: true });
  } catch (error) {
    throw fileError(error, caller, path);
  }
}

/**
 * Reads a file of certificates, PEM. Rejects with `not_found` if there is none; with
 * `invalid_argument` if it has no certificate or another PEM block, is over 1 MiB or not a regular
 * file; and otherwise as `saveCertificate` does.
 */
export async function loadCertificate(path: string): Promise<string> {
  const caller = 'loadCertificate';
  checkPath(path, caller);
  try {
    const pem = await readTextFile(path, caller);
    checkCertificates(pem, caller, path);
    return pem;
  } catch (error) {
    throw fileError(error, caller, path, 'read');
  }
}

function checkCertificates(pem: string, caller: string, path: string): void {
  const blocks = pemBlocks(pem);
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE');
  if (blocks.length === 0)
    throw wrong(
      caller,
      path,
      "it contains no PEM ('-----BEGIN CERTIFICATE-----'); give a certificate",
    );
  if (other !== undefined)
    throw wrong(
      caller,
      path,
      `it also contains a '${other.label}', but a file of certificates may be read by anybody; give certificates only`,
    );
  if (blocks.some(({ bytes }) => bytes === undefined))
    throw wrong(caller, path, 'a certificate is cut off or not base64; use a complete copy of it');
}

function wrong(caller: string, path: string, problem: string): TransportError {
  return new TransportError('invalid_argument', `${caller}: ${path}: ${problem}`, { target: path });
}

const CERTIFICATE_MODE = 0o644;
