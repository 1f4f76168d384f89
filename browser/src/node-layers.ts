// Layers that listen in Node for a page, which can only dial. Each accepted connection is joined to
// one that the page dials for it, byte for byte and with back-pressure, so that the page has both
// ends.

import { TransportError } from '@trunkline/transport-core';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import type { Listened, NodeCalls, Place, PlainError } from './node-calls.ts';

interface NodeLayer {
  readonly layer: StreamLayer;
  /** Accepted connections that the page has not asked for. */
  readonly accepted: StreamConnection[];
  /** Answers the page's call of `accept` that waits. */
  answer: ((ticket: number | undefined) => void) | undefined;
}

/** Implements the calls of one page. */
export class NodeLayers implements NodeCalls {
  readonly #layers = new Map<number, NodeLayer>();
  readonly #tickets = new Map<number, StreamConnection>();
  readonly #bridge: StreamLayer = createWsStreamLayer();
  readonly #create: (place: Place) => StreamLayer;
  #count = 0;

  private constructor(create: (place: Place) => StreamLayer) {
    this.#create = create;
  }

  static async start(create: (place: Place) => StreamLayer): Promise<NodeLayers> {
    const layers = new NodeLayers(create);
    await layers.#bridge.listen((connection) => layers.#join(connection));
    return layers;
  }

  async listen(id: number, place: Place): Promise<Listened> {
    let entry = this.#layers.get(id);
    if (entry === undefined) {
      entry = { layer: this.#create(place), accepted: [], answer: undefined };
      this.#layers.set(id, entry);
    }
    const { layer } = entry;
    try {
      await layer.listen((connection) => this.#accepted(entry, connection));
      return { address: layer.localAddr() };
    } catch (error) {
      return { error: plain(error) };
    }
  }

  accept(id: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const entry = this.#layers.get(id);
      if (entry === undefined) return resolve(undefined);
      entry.answer = resolve;
      this.#hand(entry);
    });
  }

  async close(id: number): Promise<void> {
    const entry = this.#layers.get(id);
    this.#layers.delete(id);
    if (entry === undefined) return;
    await entry.layer.close();
    for (const connection of entry.accepted.splice(0)) connection.destroy();
    entry.answer?.(undefined);
  }

  async bridge(): Promise<string> {
    return this.#bridge.localAddr();
  }

  async stop(): Promise<void> {
    for (const id of this.#layers.keys()) await this.close(id);
    for (const connection of this.#tickets.values()) connection.destroy();
    await this.#bridge.close();
  }

  #accepted(entry: NodeLayer, connection: StreamConnection): void {
    entry.accepted.push(connection);
    this.#hand(entry);
  }

  #hand(entry: NodeLayer): void {
    if (entry.answer === undefined || entry.accepted.length === 0) return;
    const ticket = ++this.#count;
    this.#tickets.set(ticket, entry.accepted.shift()!);
    entry.answer(ticket);
    entry.answer = undefined;
  }

  /** Joins a connection of the page to the accepted one whose ticket it sends first. */
  #join(near: StreamConnection): void {
    let onward: Direction | undefined;
    let back: Direction | undefined;
    near.attach({
      frames() {},
      data: (chunk) => {
        if (onward !== undefined) return onward.data(chunk);
        const ticket = new DataView(chunk.buffer, chunk.byteOffset).getUint32(0);
        const accepted = this.#tickets.get(ticket);
        this.#tickets.delete(ticket);
        if (accepted === undefined) return near.destroy();
        const [to, from] = [new Direction(near, accepted), new Direction(accepted, near)];
        [onward, back] = [to, from];
        accepted.attach({
          frames() {},
          data: (bytes) => from.data(bytes),
          drained: () => to.drained(),
          closed: (error) => from.closed(error),
        });
      },
      drained: () => back?.drained(),
      closed: (error) => onward?.closed(error),
    });
  }
}

/** Passes everything that one connection reports on to another one. */
class Direction {
  readonly #from: StreamConnection;
  readonly #to: StreamConnection;
  /** Chunks that arrived while the connection was blocked; a pause takes effect a little later. */
  readonly #waiting: Uint8Array[] = [];
  #isBlocked = false;
  #isEnded = false;

  constructor(from: StreamConnection, to: StreamConnection) {
    this.#from = from;
    this.#to = to;
  }

  data(chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#pump();
    if (this.#isBlocked) this.#from.pause();
  }

  drained(): void {
    this.#isBlocked = false;
    this.#pump();
    if (!this.#isBlocked) this.#from.resume();
  }

  closed(error: TransportError | undefined): void {
    if (error !== undefined) return this.#to.destroy();
    this.#isEnded = true;
    this.#pump();
  }

  #pump(): void {
    while (!this.#isBlocked && this.#waiting.length > 0)
      this.#isBlocked = !this.#to.write(this.#waiting.shift()!);
    if (this.#isEnded && this.#waiting.length === 0) this.#to.close();
  }
}

/** Returns a TransportError as plain data; throws any other error. */
export function plain(error: unknown): PlainError {
  if (!(error instanceof TransportError)) throw error;
  const { code, message, reason, target } = error;
  return { code, message, reason, target };
}
