// A TCP proxy that makes a line slower or breaks it.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Random } from '@trunkline/transport-core';
import { formatHostPort, socketError } from '@trunkline/transport-core/backend';

/** The faults of a line; they apply to both directions, and may change while the proxy runs. */
export interface Toxics {
  /** The delay that is added in each direction, in milliseconds. */
  latency: number;
  /** The delay varies by up to this many milliseconds, up or down. */
  jitter: number;
  /** The limit in bytes per second for each connection and direction; Infinity means unlimited. */
  rate: number;
  /**
   * True to pass nothing on and report no error, as a network does that has lost its route. Waiting
   * bytes are held, and passed on when it is false again.
   */
  blackhole: boolean;
  /** True to refuse new connections. */
  refuse: boolean;
}

/** The address of one end. */
export interface End {
  readonly host: string;
  readonly port: number;
}

/**
 * A running proxy. It has at most 1,000 connections. It stops reading from a sender while more than
 * 1 MiB of its bytes wait.
 */
export class ToxicProxy {
  readonly toxics: Toxics;
  readonly #target: End;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #lines = new Set<Line>();
  /** The number of bytes that were passed on. */
  bytes = 0;

  constructor(target: End, toxics: Toxics, clock: Clock, random: Random) {
    this.#target = target;
    this.toxics = toxics;
    this.#clock = clock;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** The number of connections. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Listens; resolves to the port. */
  listen({ host, port }: End): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) =>
        reject(socketError(error, 'listen', formatHostPort(host, port)));
      // Later errors mean that one connection could not be accepted. They change nothing.
      this.#server.on('error', failed);
      this.#server.listen(port, host, () => {
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  /**
   * Sends bytes that are due; call it after `blackhole` has changed. Changes of the other toxics
   * apply only to bytes that arrive later: waiting bytes keep the time at which they leave.
   */
  changed(): void {
    for (const line of this.#lines) line.changed();
  }

  /** Ends all connections with a reset. */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    if (this.toxics.refuse) return void socket.resetAndDestroy();
    const other = connect({ ...this.#target, allowHalfOpen: true });
    const pair = [socket, other] as const;
    const host = {
      toxics: this.toxics,
      clock: this.#clock,
      random: this.#random,
      passed: (bytes: number) => (this.bytes += bytes),
    };
    const lines = [new Line(socket, other, host), new Line(other, socket, host)];
    this.#pairs.add(pair);
    for (const line of lines) this.#lines.add(line);
    for (const each of pair) {
      each.setNoDelay(true);
      each.on('error', () => {
        for (const one of pair) one.resetAndDestroy();
      });
      each.once('close', () => {
        if (pair.some((one) => !one.closed && !one.destroyed)) return;
        this.#pairs.delete(pair);
        for (const line of lines) {
          line.end();
          this.#lines.delete(line);
        }
      });
    }
  }
}

/** The part of the proxy that its lines use. */
interface LineHost {
  readonly toxics: Toxics;
  readonly clock: Clock;
  readonly random: Random;
  passed(bytes: number): void;
}

/** One direction of a connection. */
class Line {
  readonly #to: Socket;
  readonly #from: Socket;
  readonly #host: LineHost;
  /** Chunks in order, each with the time at which it leaves; undefined stands for the end. */
  readonly #queue: { readonly chunk: Uint8Array | undefined; readonly at: number }[] = [];
  #queued = 0;
  /** The time at which the line has sent all its chunks, without their latency. */
  #free = 0;
  #timer: unknown;

  constructor(from: Socket, to: Socket, host: LineHost) {
    this.#from = from;
    this.#to = to;
    this.#host = host;
    from.on('data', (chunk: Uint8Array) => this.#push(chunk));
    from.on('end', () => this.#push(undefined));
    to.on('drain', () => this.#flush());
  }

  changed(): void {
    this.#flush();
  }

  end(): void {
    this.#host.clock.clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #push(chunk: Uint8Array | undefined): void {
    const { toxics, clock, random } = this.#host;
    const now = clock.now();
    const length = chunk?.length ?? 0;
    // Chunks keep their order, as in TCP: a later chunk never leaves first.
    this.#free = Math.max(this.#free, now) + (1_000 * length) / toxics.rate;
    const delay = Math.max(0, toxics.latency + toxics.jitter * (2 * random() - 1));
    const at = Math.max(this.#free + delay, this.#queue.at(-1)?.at ?? 0);
    this.#queue.push({ chunk, at });
    this.#queued += length;
    if (this.#queued > MOST_BYTES) this.#from.pause();
    this.#flush();
  }

  #flush(): void {
    const { toxics, clock } = this.#host;
    clock.clearTimeout(this.#timer);
    if (toxics.blackhole) return;
    while (this.#queue.length > 0 && !this.#to.writableNeedDrain) {
      const { chunk, at } = this.#queue[0]!;
      const left = at - clock.now();
      if (left > 0) {
        this.#timer = clock.setTimeout(() => this.#flush(), left);
        return;
      }
      this.#queue.shift();
      this.#queued -= chunk?.length ?? 0;
      if (this.#queued <= MOST_BYTES && this.#from.isPaused()) this.#from.resume();
      if (chunk === undefined) this.#to.end();
      else {
        this.#host.passed(chunk.length);
        this.#to.write(chunk);
      }
    }
  }
}

const MOST_CONNECTIONS = 1_000;
const MOST_BYTES = 1024 * 1024;
