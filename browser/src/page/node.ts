// The page as a node: it dials over WebSocket or, once it has joined a hub, over WebRTC.

import { createIdentity } from '@trunkline/security';
import {
  createTransport,
  serve,
  type Transport,
  type TransportError,
} from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { lines, QUICK } from '../lines.ts';

/** The end of a call, as plain data. A call that succeeds has the code 'ok'. */
export interface CallEnd {
  readonly code: string;
  readonly message?: string;
  readonly reason?: string | undefined;
  readonly sent?: boolean | undefined;
  /** The length of the response. */
  readonly length?: number;
  /** The node's oldest connection. */
  readonly remote?: {
    readonly endpoint: string;
    readonly direction: string;
    readonly nodeId: string | undefined;
  };
}

const options = { protocol: lines, keepAlive: QUICK };
let transport = served(createTransport({ ...options, dialTimeout: 3_000, backends: [ws()] }));

function served(created: Transport<typeof lines>): Transport<typeof lines> {
  serve(created, { echo: (request) => request, wait: () => new Promise(() => {}) });
  return created;
}

export const node = {
  /** Listens over WebRTC, to all nodes of a hub. Resolves with the page's node id. */
  async join(hub: string, dialTimeout?: number): Promise<string> {
    const identity = createIdentity();
    const signal = createHubSignal({ address: hub, backends: [ws()], identity });
    const backends = [webrtc({ signal, identity })];
    transport = served(createTransport('webrtc://0', { ...options, dialTimeout, backends }));
    await transport.listen();
    return identity.nodeId;
  },

  /** Calls a method with so many bytes. */
  async call(
    target: string,
    method: 'echo' | 'wait',
    { size = 3, timeout = 10_000 } = {},
  ): Promise<CallEnd> {
    try {
      const { length } = await transport.send(target, method, new Uint8Array(size), { timeout });
      const { endpoint, direction, nodeId } = transport.remotes()[0]!;
      return { code: 'ok', length, remote: { endpoint, direction, nodeId } };
    } catch (error) {
      const { code, message, reason, sent } = error as TransportError;
      return { code, message, reason, sent };
    }
  },

  /** Makes four calls at once with so many bytes, by a transport with the default options. */
  async exchange(target: string, size: number): Promise<number[]> {
    const own = createTransport({ protocol: lines, backends: [ws()] });
    const call = () => own.send(target, 'echo', new Uint8Array(size), { timeout: 60_000 });
    const responses = await Promise.all([call(), call(), call(), call()]);
    await own.close();
    return responses.map(({ length }) => length);
  },

  hold(target: string): void {
    transport.hold(target);
  },

  /** Holds a target; resolves with the first dial that fails, and when the next one is due. */
  async refused(target: string): Promise<CallEnd & { readonly retryIn: number | undefined }> {
    const events = transport.connections();
    transport.hold(target);
    for (;;) {
      const { value } = await events.next();
      if (value.type !== 'failed') continue;
      const { code, reason, sent } = value.error;
      return { code, reason, sent, retryIn: value.retryIn };
    }
  },

  /** Resolves as soon as no connection is up. */
  async disconnected(): Promise<void> {
    const events = transport.connections();
    while (transport.remotes().length > 0) await events.next();
  },
};
