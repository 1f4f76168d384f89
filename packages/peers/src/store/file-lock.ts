// One process at a time: a file beside what is kept that names its holder, and outlives it without harm.

import { basename, dirname, join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes, systemRandom, TransportError } from '@trunkline/transport-core';
import type { FileDisk } from './file-disk.ts';
import { codeOf, ignoreMissing } from './file-error.ts';
import type { Processes } from './processes.ts';

interface Holder {
  readonly pid: number;
  /** Another for each lock that was ever taken. */
  readonly token: string;
  readonly birth: string | undefined;
}

export class FileLock {
  readonly #path: string;
  readonly #disk: FileDisk;
  readonly #processes: Processes;
  readonly #kind: string;
  #token: string | undefined = undefined;
  /** What we wrote last: where the folder was gone for a while (a disk that is mounted again), the file in it is still ours. */
  #ours: string | undefined = undefined;

  /** @param kind of thing that is locked, as errors name it. */
  constructor(path: string, disk: FileDisk, processes: Processes, kind = 'address book') {
    this.#path = path;
    this.#disk = disk;
    this.#processes = processes;
    this.#kind = kind;
  }

  /**
   * Takes it, or makes sure that it is still ours: somebody may have removed it. `failed_precondition` naming the path and the pid
   * while another process, or another user in this one, has it; else node:fs's errors.
   */
  async hold(): Promise<void> {
    const holder = await this.#read(this.#path);
    if (holder !== undefined && holder.token === this.#ours) {
      this.#token = this.#ours;
      return;
    }
    this.#token = undefined;
    this.#token = this.#ours = await this.#take(this.#path, DEEPEST);
    await this.#cleanUp();
  }

  get isHeld(): boolean {
    return this.#token !== undefined;
  }

  async release(): Promise<void> {
    const token = this.#ours;
    this.#token = this.#ours = undefined;
    if (token !== undefined && (await this.#read(this.#path))?.token === token) await this.#disk.unlink(this.#path).catch(ignoreMissing);
  }

  /**
   * The file is whole as soon as it has its name. A stale one may be removed only by who holds a lock on its token: else two that find
   * it stale could each remove the other's new one. That lock is one like this, so it may be stale too.
   */
  async #take(path: string, depth: number): Promise<string> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const holder = await this.#read(path);
      if (holder === undefined) {
        const token = await this.#create(path);
        if (token !== undefined) return token;
        continue;
      }
      if (depth === 0 || (await this.#isAlive(holder))) throw locked(this.#path, holder.pid, this.#kind);
      const guard = `${path}.${holder.token}`;
      const guardToken = await this.#take(guard, depth - 1);
      try {
        if ((await this.#read(path))?.token === holder.token) await this.#disk.unlink(path).catch(ignoreMissing);
      } finally {
        if ((await this.#read(guard))?.token === guardToken) await this.#disk.unlink(guard).catch(ignoreMissing);
      }
    }
    throw new TransportError('failed_precondition', `${this.#kind}: ${path}: others take it and leave it all the time; try again`, { target: path });
  }

  /** undefined: somebody was faster. */
  async #create(path: string): Promise<string | undefined> {
    const token = bytesToHex(randomBytes(systemRandom, 8));
    const { own } = this.#processes;
    const bytes = new TextEncoder().encode(`${own} ${token} ${(await this.#processes.birthOf(own)) ?? ''}\n`);
    const temporary = `${path}.${token}.tmp`;
    try {
      await this.#disk.write(temporary, bytes);
      return (await this.#name(temporary, path, bytes)) ? token : undefined;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return undefined;
    } finally {
      await this.#disk.unlink(temporary).catch(() => {});
    }
  }

  /** False: whoever has the lock took our file for something that was left. */
  async #name(temporary: string, path: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#disk.link(temporary, path);
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (code === 'ENOENT') return false;
      if (!NO_LINKS.has(code)) throw error;
      await this.#disk.write(path, bytes); // Others may see half of it, for a moment.
    }
    return true;
  }

  /** undefined where there is none. One that can't be read was left by a machine that stopped: nobody holds it. */
  async #read(path: string): Promise<Holder | undefined> {
    try {
      const bytes = await this.#disk.read(path, (size) => {
        if (size > LARGEST) throw Object.assign(new Error(`${path} has ${size} bytes`), { code: 'EFBIG' });
      });
      const match = /^(\d{1,10}) ([0-9a-f]{16}) (\S*)\n$/.exec(new TextDecoder().decode(bytes));
      if (match === null) return { pid: 0, token: 'unreadable', birth: undefined };
      return { pid: Number(match[1]), token: match[2]!, birth: match[3] === '' ? undefined : match[3] };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** A process of that number that was born at another time is another process. Pid 0 is nobody's. */
  async #isAlive({ pid, birth }: Holder): Promise<boolean> {
    if (pid === 0 || !this.#processes.isRunning(pid)) return false;
    const now = await this.#processes.birthOf(pid);
    return birth === undefined || now === undefined || birth === now;
  }

  /** What others left who stopped while they took it: temporary files, and locks on tokens that will never be seen again. */
  async #cleanUp(): Promise<void> {
    const folder = dirname(this.#path);
    const names = await this.#disk.list(folder).catch(() => []);
    const isOurs = (name: string) =>
      name.startsWith(`${basename(this.#path)}.`) && /^(\.([0-9a-f]{16}|unreadable|tmp))+$/.test(name.slice(basename(this.#path).length));
    for (const name of names.filter(isOurs)) await this.#disk.unlink(join(folder, name)).catch(() => {});
  }
}

function locked(path: string, pid: number, kind: string): TransportError {
  const problem = `process ${pid} uses it; stop that one, or give this one another path (if there is no such ${kind} in use, remove the file)`;
  return new TransportError('failed_precondition', `${kind}: ${path}: ${problem}`, { target: path });
}

/** A lock holds a line. */
const LARGEST = 1_024;
/** Locks on locks: each level needs a process that stopped within the few steps of taking over. */
const DEEPEST = 8;
const MOST_ROUNDS = 16;
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
