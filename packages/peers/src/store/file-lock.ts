// Lets only one process at a time use a path: a lock file beside it names the holder. A lock file
// whose process is gone is replaced. Tested in file-address-book.test.ts.
//
// The library `proper-lockfile` 4 is not used, because it renews the age of its lock by a timer.
// After a crash, the next process waits 10 s for the lock to become old (measured: 10.1 s, compared
// with 20 ms here), and a process that is stopped or blocked for 10 s loses its lock to another
// process.

import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { kill, pid } from 'node:process';
import { bytesToHex } from '@noble/hashes/utils.js';
import { systemRandom, TransportError } from '@trunkline/transport-core';
import { randomBytes } from '@trunkline/transport-core/backend';
import {
  type FileDisk,
  hasNoLinks,
  ignoreMissing,
  systemErrorCode,
} from '@trunkline/transport-core/node';

interface Holder {
  readonly pid: number;
  /** Unique per acquisition. */
  readonly token: string;
  readonly birth: string | undefined;
}

/**
 * A lock file, held by at most one running process of this machine and pid namespace. A holder on
 * another machine or in another container is judged by its pid as if it were here, so it usually
 * counts as gone, and its lock is replaced.
 */
export class FileLock {
  readonly #path: string;
  readonly #disk: FileDisk;
  readonly #processes: Processes;
  readonly #kind: string;
  /**
   * The token of the lock file that was written last. If the folder disappears for a while (for
   * example, because its disk is mounted again), the file in it still belongs to this lock.
   */
  #ours: string | undefined = undefined;

  /** @param kind the kind of thing that is locked, for error messages. */
  constructor(path: string, disk: FileDisk, processes: Processes, kind: string) {
    this.#path = path;
    this.#disk = disk;
    this.#processes = processes;
    this.#kind = kind;
  }

  /**
   * Takes the lock, or checks that it is still held, since somebody may have removed the file.
   * Rejects with `failed_precondition`, naming the path and the pid, while another process, or
   * another user in this process, holds the lock. Otherwise rejects with the errors of node:fs.
   */
  async hold(): Promise<void> {
    const holder = await this.#read();
    if (holder !== undefined && holder.token === this.#ours) return;
    this.#ours = await this.#take();
    await this.#cleanUp();
  }

  async release(): Promise<void> {
    const token = this.#ours;
    this.#ours = undefined;
    if (token !== undefined && (await this.#read())?.token === token)
      await this.#disk.unlink(this.#path).catch(ignoreMissing);
  }

  /**
   * Creates the lock file, which is complete once it has its name, or replaces a stale one. If two
   * processes replace it in the same instant, the file names the last one, and the other finds at
   * its next `hold` that it has lost the lock.
   */
  async #take(): Promise<string> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const holder = await this.#read();
      if (holder !== undefined && (await this.#isAlive(holder)))
        throw locked(this.#path, holder.pid, this.#kind);
      const token = await this.#write(holder?.token);
      if (token !== undefined) return token;
    }
    throw new TransportError(
      'failed_precondition',
      `${this.#kind}: ${this.#path}: other processes lock and release it all the time; try again`,
      { target: this.#path },
    );
  }

  /**
   * Writes the lock file in place of the one with the token `stale`, if there is one. Returns its
   * token, or undefined if another process was faster.
   */
  async #write(stale: string | undefined): Promise<string | undefined> {
    const token = bytesToHex(randomBytes(systemRandom, 8));
    const { own } = this.#processes;
    const bytes = new TextEncoder().encode(
      `${own} ${token} ${(await this.#processes.birthOf(own)) ?? ''}\n`,
    );
    const temporary = `${this.#path}.${token}.tmp`;
    try {
      await this.#disk.write(temporary, bytes);
      return (await this.#name(temporary, bytes, stale)) ? token : undefined;
    } finally {
      await this.#disk.unlink(temporary).catch(() => {});
    }
  }

  /**
   * Gives the lock file its name. Returns false if another process was faster, or has the lock and
   * removed the temporary file as a leftover.
   */
  async #name(temporary: string, bytes: Uint8Array, stale: string | undefined): Promise<boolean> {
    try {
      if (stale === undefined) await this.#link(temporary, bytes);
      else if ((await this.#read())?.token === stale)
        await this.#disk.rename(temporary, this.#path);
      else return false;
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EEXIST' || code === 'ENOENT') return false;
      throw error;
    }
  }

  async #link(temporary: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#disk.link(temporary, this.#path);
    } catch (error) {
      if (!hasNoLinks(error)) throw error;
      await this.#disk.write(this.#path, bytes); // Others may briefly see a part of it.
    }
  }

  /**
   * Reads the lock file; undefined if it does not exist. An unreadable file was left by a machine
   * that stopped, so nobody holds it.
   */
  async #read(): Promise<Holder | undefined> {
    const path = this.#path;
    try {
      const bytes = await this.#disk.read(path, (size) => {
        if (size > LARGEST)
          throw Object.assign(new Error(`${path} has ${size} bytes`), { code: 'EFBIG' });
      });
      const match = /^(\d{1,10}) ([0-9a-f]{16}) (\S*)\n$/.exec(new TextDecoder().decode(bytes));
      if (match === null) return { pid: 0, token: 'unreadable', birth: undefined };
      return {
        pid: Number(match[1]),
        token: match[2]!,
        birth: match[3] === '' ? undefined : match[3],
      };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Returns whether the holder is running. A process with the same pid but a different start time
   * is another process. Pid 0 never runs.
   */
  async #isAlive({ pid, birth }: Holder): Promise<boolean> {
    if (pid === 0 || !this.#processes.isRunning(pid)) return false;
    const now = await this.#processes.birthOf(pid);
    return birth === undefined || now === undefined || birth === now;
  }

  /** Removes temporary files of processes that stopped while they took the lock. */
  async #cleanUp(): Promise<void> {
    const folder = dirname(this.#path);
    const names = await this.#disk.list(folder).catch(() => []);
    const isOurs = (name: string) =>
      name.startsWith(`${basename(this.#path)}.`) &&
      /^\.[0-9a-f]{16}\.tmp$/.test(name.slice(basename(this.#path).length));
    for (const name of names.filter(isOurs))
      await this.#disk.unlink(join(folder, name)).catch(() => {});
  }
}

function locked(path: string, pid: number, kind: string): TransportError {
  const problem = `process ${pid} uses it; stop that process, or give this one another path (if no ${kind} uses it, remove the file)`;
  return new TransportError('failed_precondition', `${kind}: ${path}: ${problem}`, {
    target: path,
  });
}

/** Maximum size of a lock file in bytes; it holds one line. */
const LARGEST = 1_024;
const MOST_ROUNDS = 16;

// The interface to the system's processes, which shows whether the process that left a lock is
// still running.

/** Information on the system's processes; `own` is the pid of this one. */
export interface Processes {
  readonly own: number;
  isRunning(pid: number): boolean;
  /**
   * Returns a value that identifies a process beyond its pid, because pids are reused. It stays the
   * same during the life of the process. Resolves to undefined if the system does not provide it.
   */
  birthOf(pid: number): Promise<string | undefined>;
}

/** The processes of this machine. */
export const processes: Processes = { own: pid, isRunning, birthOf };

/**
 * Probes with signal 0, which is never delivered. EPERM means that the process belongs to another
 * user.
 */
function isRunning(other: number): boolean {
  try {
    kill(other, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}

/**
 * On Linux, returns the boot id of the machine and the process's start time in ticks since that
 * boot (field 22 of proc_pid_stat(5)).
 */
async function birthOf(other: number): Promise<string | undefined> {
  try {
    const [boot, same, stat] = await Promise.all(
      [BOOT, BOOT, `/proc/${other}/stat`].map((path) => readFile(path, 'utf8')),
    );
    // The second field, in brackets, may contain anything.
    const ticks = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')[19];
    return boot !== same || ticks === undefined ? undefined : `${boot!.trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

/** The file with the boot id of the machine. Some sandboxes return another id for each read. */
const BOOT = '/proc/sys/kernel/random/boot_id';
