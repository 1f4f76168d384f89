// Starts instances of the ledger as processes, and counts what they have handled.

import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One instance. */
export interface Instance {
  /** 'tcp://127.0.0.1:port'. */
  readonly address: string;
  kill(): void;
  /** Resolves when the process has ended and all its lines were read. */
  readonly ended: Promise<void>;
}

/** Starts an instance; `handled` counts the calls of `append` by their id. */
export async function startInstance(handled: Map<number, number>): Promise<Instance> {
  const child: ChildProcess = fork(new URL('./instance.child.js', import.meta.url), {
    silent: true,
  });
  const lines = createInterface({ input: child.stdout! });
  const address = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the instance ended with ${code}`)));
  });
  lines.on('line', (line) => handled.set(Number(line), (handled.get(Number(line)) ?? 0) + 1));
  return {
    address: address.startsWith('tcp://') ? address : `tcp://${address}`,
    kill: () => void child.kill('SIGKILL'),
    ended: new Promise((resolve) => lines.once('close', resolve)),
  };
}
