// Workers that are threads of this process. Each worker has a listener of its own on the same port
// (core's system-runtime.ts reads TRUNKLINE_REUSE_PORT), and the kernel distributes the connections
// among the listeners. cluster-slot.ts reads `workerData`.

import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type FromWorker, isTagged, TAG } from './messages.ts';
import type { Spawn, SpawnOptions } from './worker-handle.ts';

/** Returns a function that starts threads. */
export function threadWorkers({ worker, args, env }: SpawnOptions): Spawn {
  const url =
    worker instanceof URL
      ? worker
      : worker.startsWith('file:')
        ? new URL(worker)
        : pathToFileURL(worker);
  return (slot, events) => {
    const thread = new Worker(url, {
      argv: [...args],
      env: { ...process.env, ...env, TRUNKLINE_REUSE_PORT: '1' },
      workerData: { ...TAG, slot },
    });
    let error: unknown;
    thread.on('message', (message: unknown) => {
      if (isTagged(message)) events.message(message as FromWorker);
    });
    thread.on('error', (thrown) => (error = thrown));
    thread.on('exit', (code) => events.exited({ code, signal: null, error }));
    return {
      pid: process.pid,
      threadId: thread.threadId,
      send: (message) => thread.postMessage(message),
      kill: () => void thread.terminate(),
    };
  };
}
