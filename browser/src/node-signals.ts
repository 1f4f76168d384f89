// Signaling in Node's memory, in which a page opens sessions through calls.

import { TransportError } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import {
  createMemorySignaling,
  type Signal,
  type SignalMessage,
  type SignalSession,
} from '@trunkline/transport-webrtc';
import { createWebRtcStreamLayer } from '@trunkline/transport-webrtc/layer';
import type { Opened, Place, PlainError, SignalCalls, SignalReport } from './node-calls.ts';
import { plain } from './node-layers.ts';

interface Session {
  readonly session: SignalSession;
  /** Reports that the page has not asked for. */
  readonly reports: SignalReport[];
  answer: ((report: SignalReport) => void) | undefined;
}

/** Implements the calls of one page. */
export class NodeSignals implements SignalCalls {
  readonly #realm = createMemorySignaling();
  readonly #sessions = new Map<number, Session>();
  #count = 0;

  /** Returns the access of a node in Node. */
  signal(nodeId: string): Signal {
    return this.#realm.signal(nodeId);
  }

  /** Creates a layer of Node in this realm. */
  layer({ bindAddr, advertiseAddr }: Place): StreamLayer {
    const id = bindAddr?.replace('webrtc://', '') ?? `node-${++this.#count}`;
    return createWebRtcStreamLayer({ signal: this.signal(id), advertiseAddr });
  }

  async openSession(target: string): Promise<Opened> {
    try {
      const session = await this.#realm.signal('page').open(target, { timeout: 10_000 });
      const entry: Session = { session, reports: [], answer: undefined };
      const report = (next: SignalReport) => {
        if (entry.answer === undefined) return void entry.reports.push(next);
        entry.answer(next);
        entry.answer = undefined;
      };
      session.attach({
        message: (message) => report({ message: this.received(message as SignalMessage) }),
        closed: (error) => report({ closed: true, error: error && plain(error) }),
      });
      const number = ++this.#count;
      this.#sessions.set(number, entry);
      return { session: number };
    } catch (error) {
      return { error: plain(error) };
    }
  }

  /** Returns a message of Node's as the page receives it. */
  protected received(message: SignalMessage): SignalMessage {
    return message;
  }

  async sendSignal(session: number, message: SignalMessage): Promise<void> {
    this.#sessions.get(session)?.session.send(message);
  }

  nextSignal(session: number): Promise<SignalReport> {
    return new Promise((resolve) => {
      const entry = this.#sessions.get(session);
      const report = entry === undefined ? ENDED : entry.reports.shift();
      if (report !== undefined) resolve(report);
      else entry!.answer = resolve;
    });
  }

  async closeSession(session: number, error?: PlainError): Promise<void> {
    const entry = this.#sessions.get(session);
    this.#sessions.delete(session);
    entry?.session.close(
      error && new TransportError(error.code, error.message, { reason: error.reason }),
    );
    entry?.answer?.(ENDED);
  }
}

const ENDED: SignalReport = { closed: true };
