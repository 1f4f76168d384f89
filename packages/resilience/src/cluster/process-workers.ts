// Workers that are processes. The primary accepts the connections for all of them, and node:cluster
// hands them out one after another.

import cluster from 'node:cluster';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { SLOT } from './cluster-slot.ts';
import { type FromWorker, isTagged } from './messages.ts';
import { closeUntakenConnections } from './untaken-connections.ts';
import type { Spawn, SpawnOptions } from './worker-handle.ts';

/** Returns a function that starts processes. */
export function processWorkers({ worker, args, env }: SpawnOptions): Spawn {
  const exec = worker instanceof URL || worker.startsWith('file:') ? fileURLToPath(worker) : worker;
  return (slot, events) => {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // These settings belong to the whole process, and apply to the next fork.
    cluster.setupPrimary({
      exec,
      args: [...args],
      execArgv: process.execArgv,
      silent: false,
      serialization: 'json',
    });
    const started = cluster.fork({ ...env, [SLOT]: String(slot) });
    closeUntakenConnections(started);
    let hasExited = false;
    const exited: typeof events.exited = (exit) => {
      if (hasExited) return;
      hasExited = true;
      events.exited(exit);
    };
    started.on('message', (message: unknown) => {
      if (isTagged(message)) events.message(message as FromWorker);
    });
    started.on('exit', (code, signal) => exited({ code, signal }));
    // Without a process id, the process was not started, and no 'exit' follows. Other errors are
    // about messages and signals that were sent too late.
    started.on('error', (error) => {
      if (started.process.pid === undefined) exited({ code: null, signal: null, error });
    });
    return {
      pid: started.process.pid ?? 0,
      threadId: undefined,
      send(message) {
        if (started.isConnected()) started.process.send(message, undefined, undefined, ignore);
      },
      kill: () => void started.process.kill('SIGKILL'),
    };
  };
}

function ignore(): void {}
