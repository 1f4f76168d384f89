// The interface to the system's processes, which shows whether the process that left a lock is
// still running.

import { readFile } from 'node:fs/promises';
import { kill, pid } from 'node:process';

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
