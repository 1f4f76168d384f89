// Identities in files: PKCS#8 in PEM, readable by their owner only.

import type { Stats } from 'node:fs';
import { geteuid, platform } from 'node:process';
import { TransportError } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { fileError, systemErrorCode, writeAtomically } from '@trunkline/transport-core/node';
import { type CreateIdentityOptions, createIdentity, type Identity } from './identity.ts';
import { checkIdentity } from './is-identity.ts';
import { parseIdentity, readIdentity } from './parse-identity.ts';
import { checkPath, readTextFile } from './user-file.ts';

/** Options of {@link saveIdentity}. */
export interface SaveIdentityOptions {
  /** True to replace an existing file. Default false. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Writes the private key, PEM, to a file of mode 0600. At any time, the file is absent or contains
 * the complete old or new content; but without `overwrite`, on a file system without hard links
 * (FAT), others may see a partial new file. A file that already contains this key is left as it is,
 * unless `overwrite` is set. Rejects with `already_exists` if the file contains anything else,
 * without `overwrite`; with `not_found` if the folder is missing; with `permission_denied`,
 * `resource_exhausted` and so on for system errors; and with a TypeError if an argument or option
 * is invalid, or if the identity has no `key`.
 */
export async function saveIdentity(
  path: string,
  identity: Identity,
  options: SaveIdentityOptions = {},
): Promise<void> {
  const caller = 'saveIdentity';
  checkPath(path, caller);
  checkIdentity(identity, caller);
  const { overwrite = false } = parseOptions(saveOptions, options, caller);
  const { key } = identity;
  parseIdentity(key); // Ensures that the saved key can be loaded again.
  try {
    await writeAtomically(path, key, { mode: KEY_MODE, overwrite });
  } catch (error) {
    if (overwrite || systemErrorCode(error) !== 'EEXIST') throw fileError(error, caller, path);
    await checkSame(path, identity);
  }
}

/**
 * Loads the identity from a file. It must be a regular file, owned by this user or root, and
 * neither readable nor writable by group or others.
 *
 * Rejects with `permission_denied` if owner or mode are wrong (they are not checked on Windows);
 * with `not_found` if the file does not exist; with `invalid_argument` if it contains anything but
 * one private key (see `parseIdentity`), is over 1 MiB or not a regular file; and with a TypeError
 * if `path` is not a path.
 */
export async function loadIdentity(path: string): Promise<Identity> {
  checkPath(path, 'loadIdentity');
  return load(path, 'loadIdentity');
}

/**
 * Loads the identity from a file, or creates and saves a new one if the file does not exist.
 * Processes that do this at the same time get the same identity; on a file system without hard
 * links, one of them may reject with `invalid_argument`. `options` are those of `createIdentity`.
 *
 * Rejects with `failed_precondition` if the file has a key of a different `type` than requested,
 * and with the errors of `loadIdentity` and `saveIdentity`.
 */
export async function loadOrCreateIdentity(
  path: string,
  options: CreateIdentityOptions = {},
): Promise<Identity> {
  const caller = 'loadOrCreateIdentity';
  checkPath(path, caller);
  const created = createIdentity(options);
  const identity = (await loadIfThere(path, caller)) ?? (await create(path, created, caller));
  if (options.type === undefined || options.type === identity.type) return identity;
  const problem = `its key has the type '${identity.type}', but type '${options.type}' was requested; request the type that the file has, or give another path`;
  throw new TransportError('failed_precondition', `${caller}: ${path}: ${problem}`, {
    target: path,
  });
}

/** Saves a new identity. If another process was faster, loads that process's identity instead. */
async function create(path: string, identity: Identity, caller: string): Promise<Identity> {
  try {
    await writeAtomically(path, identity.key, { mode: KEY_MODE, overwrite: false });
    return identity;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw fileError(error, caller, path);
    return load(path, caller);
  }
}

async function loadIfThere(path: string, caller: string): Promise<Identity | undefined> {
  try {
    return await load(path, caller);
  } catch (error) {
    if (error instanceof TransportError && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function load(path: string, caller: string): Promise<Identity> {
  try {
    return readIdentity(
      await readTextFile(path, caller, (stats) => checkOwner(stats, path, caller)),
      `${caller}: ${path}`,
    );
  } catch (error) {
    throw fileError(error, caller, path, 'read');
  }
}

/**
 * Throws, as ssh does, if the file belongs to another user, or if others can read or write it: a
 * key that others can read is no longer secret, and a key that others can write may be anybody's.
 */
function checkOwner(stats: Stats, path: string, caller: string): void {
  if (platform === 'win32') return;
  const user = geteuid?.();
  const refuse = (problem: string) =>
    new TransportError('permission_denied', `${caller}: ${path}: ${problem}`, { target: path });
  if (user !== undefined && stats.uid !== user && stats.uid !== ROOT) {
    throw refuse(
      `it belongs to user ${stats.uid}, but this process runs as ${user}; if you trust the key, run 'chown ${user} ${path}'`,
    );
  }
  const mode = stats.mode & 0o777;
  if ((mode & 0o066) === 0) return;
  throw refuse(
    `its mode is ${mode.toString(8).padStart(4, '0')}, which lets other users access the key; run 'chmod 600 ${path}', or make a new key if others had access`,
  );
}

/** Returns normally if the file contains `identity`, otherwise throws. */
async function checkSame(path: string, identity: Identity): Promise<void> {
  const caller = 'saveIdentity';
  const exists = (what: string, cause?: unknown) =>
    new TransportError(
      'already_exists',
      `${caller}: ${path}: the file contains ${what}; give another path, or { overwrite: true } to replace it`,
      { target: path, cause },
    );
  let there: Identity;
  try {
    there = await load(path, caller);
  } catch (error) {
    if (error instanceof TransportError && error.code === 'permission_denied') throw error;
    throw exists('something other than a key', error);
  }
  if (there.nodeId !== identity.nodeId) throw exists(`the key of ${there.nodeId}`);
}

const KEY_MODE = 0o600;
const ROOT = 0;

const saveOptions = optionsSchema({
  overwrite: option.optional(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  ),
});
