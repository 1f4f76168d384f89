// The bytes that an attack writes, by time, so that a control can send as many to a sink. The honest
// peer shares a core with the attacker and its kernel work, and only what the victim adds to that is
// the attack's.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The writes of one attack. */
export class Recording {
  readonly #begin = performance.now();
  /** For each millisecond in which something was written: the number of writes, and of bytes. */
  readonly #writes = new Map<number, { writes: number; bytes: number }>();

  /** Records the writes of a socket from now on. */
  watch(socket: Socket): Socket {
    const { write } = socket;
    socket.write = (...given: [chunk: Uint8Array | string]): boolean => {
      this.#add(given[0].length);
      return write.apply(socket, given);
    };
    return socket;
  }

  /** The milliseconds since the recording began, rounded up. */
  get milliseconds(): number {
    return Math.ceil(performance.now() - this.#begin);
  }

  #add(bytes: number): void {
    const at = Math.floor(performance.now() - this.#begin);
    const sum = this.#writes.get(at);
    if (sum === undefined) this.#writes.set(at, { writes: 1, bytes });
    else {
      sum.writes++;
      sum.bytes += bytes;
    }
  }

  /**
   * Sends zeros to a sink at a port over one connection: as many bytes as were written in the first
   * `milliseconds`, in about as many writes, at the same pace, and no faster than the sink reads.
   * Resolves after that time, or when everything is written.
   */
  async replay(port: number, milliseconds: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    const begin = performance.now();
    const until = (at: number) => {
      const wait = begin + at - performance.now();
      return wait > 1 ? sleep(wait) : undefined;
    };
    for (const [at, { writes, bytes }] of this.#writes) {
      if (at >= milliseconds) break;
      await until(at);
      const zeros = new Uint8Array(Math.ceil(bytes / writes));
      for (let left = bytes; left > 0; left -= zeros.length)
        if (!socket.write(zeros.subarray(0, left)) && !socket.destroyed)
          await Promise.race([once(socket, 'drain'), closed]);
    }
    await until(milliseconds);
    socket.end();
    await closed;
  }
}
