// Closes the connections that a worker had not taken when it ended. node:cluster itself never
// closes them: their clients would wait until a time limit, and the primary would lose descriptors.

import type { Worker } from 'node:cluster';

/**
 * Watches the connections that the primary hands to a worker. When the worker ends, the connections
 * that it has not taken are closed.
 */
export function closeUntakenConnections(worker: Worker): void {
  // node:cluster hands over one connection of each listener at a time, so these are few.
  const untaken = new Map<number, Handle>();
  const child = worker.process;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const [message, handle] = args as [Partial<NewConnection>, Handle | undefined];
    if (message.cmd === 'NODE_CLUSTER' && message.act === 'newconn' && handle !== undefined)
      untaken.set(message.seq!, handle);
    return send(...args);
  };
  // With its reply, the worker either takes the connection or leaves it to another worker.
  child.on('internalMessage', ({ ack }: Reply) => {
    if (ack !== undefined) untaken.delete(ack);
  });
  // 'close' means that the process has ended, and that all its replies have been read.
  child.once('close', () => {
    for (const handle of untaken.values()) handle.close();
  });
}

/** The native handle of a connection, which both processes have while it is handed over. */
interface Handle {
  close(): void;
}

/** The message with which node:cluster hands over a connection, on Node 20 to 26. */
interface NewConnection {
  readonly cmd: string;
  readonly act: string;
  readonly seq: number;
}

/** The reply of the worker. */
interface Reply {
  readonly ack?: number;
}
