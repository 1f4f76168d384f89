// A page that is a node of a mesh: it finds other pages over a hub, and both dials and is dialed.

import { createIdentity } from '@trunkline/security';
import { createTransport, serve, type TransportError } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { createHubSignal } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import { lines, QUICK } from '../lines.ts';
import type { Answer, TabPage } from '../tabs.ts';

declare const RTCPeerConnection: new () => { close(): void };
/** Collects garbage: the browser offers it as a global to these tests. */
declare function gc(): void;

const identity = createIdentity();
const spare: { close(): void }[] = [];
let call: TabPage['call'];

const offered: TabPage = {
  async join(hub) {
    const signal = createHubSignal({ address: hub, backends: [ws()], identity });
    const options = { protocol: lines, keepAlive: QUICK, timeout: 60_000 };
    const transport = createTransport('webrtc://0', {
      ...options,
      backends: [webrtc({ signal, identity })],
    });
    serve(transport, { echo: (request) => request, wait: () => new Promise(() => {}) });
    await transport.listen();
    call = async (nodeId, method, size): Promise<Answer> => {
      try {
        const remote = await transport.dial(`${nodeId}@webrtc://${nodeId}`);
        const { length } = await transport.send(remote, method, new Uint8Array(size));
        const { endpoint, direction } = remote;
        return { code: 'ok', length, endpoint, direction, nodeId: remote.nodeId };
      } catch (error) {
        const { code, message } = error as TransportError;
        return { code, message };
      }
    };
    return identity.nodeId;
  },
  call: (nodeId, method, size) => call(nodeId, method, size),
  fill() {
    try {
      for (;;) spare.push(new RTCPeerConnection());
    } catch (error) {
      return (error as Error).name;
    }
  },
  release() {
    for (const peer of spare.splice(0)) peer.close();
    gc();
  },
};
Object.assign(globalThis, offered);
