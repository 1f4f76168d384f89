// Identities in files: PKCS#8 in PEM, for the eyes of their owner alone.

import type { Stats } from 'node:fs';
import { geteuid, platform } from 'node:process';
import { optional, optionsSchema, parseOptions, reference, TransportError } from '@trunkline/transport-core';
import { writeAtomically } from './atomic-file.ts';
import { checkPath } from './check-path.ts';
import { fileError } from './file-error.ts';
import { type CreateIdentityOptions, createIdentity, type Identity } from './identity.ts';
import { checkIdentity } from './is-identity.ts';
import { parseIdentity, readIdentity } from './parse-identity.ts';
import { readTextFile } from './read-file.ts';

export interface SaveIdentityOptions {
  /** Replaces whatever file is there. Default false. */
  readonly overwrite?: boolean | undefined;
}

/**
 * Writes the private key, PEM, to a file of mode 0600 that is there whole or not at all. If the file is there and has this key, it is
 * left as it is; if it has anything else, it is `already_exists`, unless `overwrite`. `not_found` if the folder is missing,
 * `permission_denied`, `resource_exhausted` and so on for what the system refuses.
 */
export async function saveIdentity(path: string, identity: Identity, options: SaveIdentityOptions = {}): Promise<void> {
  const caller = 'saveIdentity';
  checkPath(path, caller);
  checkIdentity(identity, caller);
  const { overwrite = false } = parseOptions(saveOptions, options, caller);
  const { key } = identity;
  parseIdentity(key); // What is saved can be loaded.
  try {
    await writeAtomically(path, key, { mode: KEY_MODE, overwrite });
  } catch (error) {
    if (overwrite || (error as { code?: string }).code !== 'EEXIST') throw fileError(error, 'write', caller, path);
    await checkSame(path, identity);
  }
}

/**
 * The identity of a file. The file must be a regular one, owned by this user or root, and neither readable nor writable by group or
 * others: else it is `permission_denied` (but for Windows, where owner and mode are not looked at). `not_found` if there is no file;
 * `invalid_argument` if it has anything but one private key (see `parseIdentity`).
 */
export async function loadIdentity(path: string): Promise<Identity> {
  checkPath(path, 'loadIdentity');
  return load(path, 'loadIdentity');
}

/**
 * The identity of a file, or a new one that is saved there if there is no file. Processes that do so at the same time get the same.
 * `options` are createIdentity's; a file with another `type` than was asked for is `failed_precondition`. Errors are those of
 * `loadIdentity` and `saveIdentity`.
 */
export async function loadOrCreateIdentity(path: string, options: CreateIdentityOptions = {}): Promise<Identity> {
  const caller = 'loadOrCreateIdentity';
  checkPath(path, caller);
  const created = createIdentity(options);
  const identity = (await loadIfThere(path, caller)) ?? (await create(path, created, caller));
  if (options.type === undefined || options.type === identity.type) return identity;
  const problem = `it has a key of type '${identity.type}', and type '${options.type}' was asked for; ask for what is there, or give another path`;
  throw new TransportError('failed_precondition', `${caller}: ${path}: ${problem}`, { target: path });
}

/** Whoever comes second takes the first one's. */
async function create(path: string, identity: Identity, caller: string): Promise<Identity> {
  try {
    await writeAtomically(path, identity.key, { mode: KEY_MODE, overwrite: false });
    return identity;
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw fileError(error, 'write', caller, path);
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
    return readIdentity(await readTextFile(path, caller, (stats) => checkOwner(stats, path, caller)), `${caller}: ${path}`);
  } catch (error) {
    throw fileError(error, 'read', caller, path);
  }
}

/** As ssh has it: a key that others can read is no longer its owner's alone, and one that others can write never was. */
function checkOwner(stats: Stats, path: string, caller: string): void {
  if (platform === 'win32') return;
  const user = geteuid?.();
  const refuse = (problem: string) => new TransportError('permission_denied', `${caller}: ${path}: ${problem}`, { target: path });
  if (user !== undefined && stats.uid !== user && stats.uid !== ROOT) {
    throw refuse(`it belongs to user ${stats.uid}, and this process runs as ${user}; 'chown ${user} ${path}', if the key is to be trusted`);
  }
  const mode = stats.mode & 0o777;
  if ((mode & 0o066) === 0) return;
  throw refuse(`its mode is ${mode.toString(8).padStart(4, '0')}, which lets others at the key; 'chmod 600 ${path}', or make a new key if others had access`);
}

/** Returns if the file has `identity`. */
async function checkSame(path: string, identity: Identity): Promise<void> {
  const caller = 'saveIdentity';
  const exists = (what: string, cause?: unknown) =>
    new TransportError('already_exists', `${caller}: ${path}: ${what} is there; give another path, or { overwrite: true } to lose it`, { target: path, cause });
  let there: Identity;
  try {
    there = await load(path, caller);
  } catch (error) {
    if (error instanceof TransportError && error.code === 'permission_denied') throw error;
    throw exists('something else', error);
  }
  if (there.nodeId !== identity.nodeId) throw exists(`the key of ${there.nodeId}`);
}

const KEY_MODE = 0o600;
const ROOT = 0;

const saveOptions = optionsSchema({ overwrite: optional(reference<boolean>((value) => typeof value === 'boolean', 'true or false')) });
