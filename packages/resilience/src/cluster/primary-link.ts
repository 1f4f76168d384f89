// The connection of a worker to its primary: the channel of a process, or the port of a thread.

import cluster from 'node:cluster';
import process from 'node:process';
import { isMainThread, parentPort } from 'node:worker_threads';
import { clusterSlot } from './cluster-slot.ts';
import { type FromWorker, isTagged, type ToWorker } from './messages.ts';

/** The functions that a worker calls when the primary sends something. */
export interface PrimaryEvents {
  message(message: ToWorker): void;
  /** The primary of a process has ended. */
  lost(): void;
}

/** A connection to the primary. */
export interface PrimaryLink {
  send(message: FromWorker): void;
  /** Closes the connection, so that it does not keep the worker alive. */
  end(): void;
}

/** Connects to the primary. Returns undefined outside of a cluster. */
export function linkToPrimary(events: PrimaryEvents): PrimaryLink | undefined {
  if (clusterSlot() === undefined) return undefined;
  return isMainThread ? linkOfProcess(events) : linkOfThread(events);
}

function linkOfProcess(events: PrimaryEvents): PrimaryLink {
  const worker = cluster.worker!;
  process.on('message', (message: unknown) => {
    if (isTagged(message)) events.message(message as ToWorker);
  });
  worker.once('disconnect', () => {
    if (worker.exitedAfterDisconnect) return;
    // Without this assignment, Node ends the process and all its calls right after this event.
    worker.exitedAfterDisconnect = true;
    events.lost();
  });
  return {
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, ignore);
    },
    end() {
      if (process.connected) worker.disconnect();
    },
  };
}

function linkOfThread(events: PrimaryEvents): PrimaryLink {
  const port = parentPort!;
  port.on('message', (message: unknown) => {
    if (isTagged(message)) events.message(message as ToWorker);
  });
  return {
    send: (message) => port.postMessage(message),
    end: () => port.close(),
  };
}

function ignore(): void {}
