// Which processes there are, as a port: whether the one that left a lock is still running.

import { readFile } from 'node:fs/promises';
import { kill, pid } from 'node:process';

export interface Processes {
  readonly own: number;
  isRunning(pid: number): boolean;
  /** The same as long as it is the same process: numbers are used again. undefined where the system does not tell. */
  birthOf(pid: number): Promise<string | undefined>;
}

export const processes: Processes = { own: pid, isRunning, birthOf };

/** Signal 0 is sent to nobody. EPERM: it is another user's. */
function isRunning(other: number): boolean {
  try {
    kill(other, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}

/** Linux: which boot of the machine, and how many ticks after it the process was started (field 22 of proc_pid_stat(5)). */
async function birthOf(other: number): Promise<string | undefined> {
  try {
    const [boot, same, stat] = await Promise.all([BOOT, BOOT, `/proc/${other}/stat`].map((path) => readFile(path, 'utf8')));
    const ticks = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')[19]; // The second field, in brackets, may have anything in it.
    return boot !== same || ticks === undefined ? undefined : `${boot!.trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

/** Some sandboxes give another each time. */
const BOOT = '/proc/sys/kernel/random/boot_id';
