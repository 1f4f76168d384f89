// Signaling of a page that only dials: sessions are opened in Node's memory.

import type { TransportError } from '@trunkline/transport-core';
import type {
  Signal,
  SignalMessage,
  SignalReceiver,
  SignalSession,
} from '@trunkline/transport-webrtc';
import type { SignalCalls } from '../node-calls.ts';
import { transportError } from './page-layer.ts';

/** Calls a function of Node; a global that the test has added to the page. */
declare function nodeCall<N extends keyof SignalCalls>(
  name: N,
  ...args: Parameters<SignalCalls[N]>
): ReturnType<SignalCalls[N]>;

export const nodeSignal: Signal = {
  nodeId: 'page',
  async listen() {
    throw new Error('this page listens in Node');
  },
  async unlisten() {},
  async open(target, { signal }) {
    signal?.throwIfAborted();
    const opened = await nodeCall('openSession', target);
    if ('error' in opened) throw transportError(opened.error);
    const session = new NodeSession(target, opened.session);
    if (signal?.aborted) session.close();
    signal?.throwIfAborted();
    return session;
  },
};

class NodeSession implements SignalSession {
  readonly peer: string;
  readonly #number: number;
  #isOver = false;

  constructor(peer: string, number: number) {
    this.peer = peer;
    this.#number = number;
  }

  attach(receiver: SignalReceiver): void {
    void this.#report(receiver);
  }

  send(message: SignalMessage): void {
    if (!this.#isOver) void nodeCall('sendSignal', this.#number, message);
  }

  close(error?: TransportError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { code, message, reason } = error ?? {};
    void nodeCall(
      'closeSession',
      this.#number,
      code === undefined ? undefined : { code, message: message!, reason },
    );
  }

  async #report(receiver: SignalReceiver): Promise<void> {
    for (;;) {
      const report = await nodeCall('nextSignal', this.#number);
      if (this.#isOver) return;
      if ('message' in report) receiver.message(report.message);
      else {
        this.#isOver = true;
        void nodeCall('closeSession', this.#number);
        return receiver.closed(report.error && transportError(report.error));
      }
    }
  }
}
