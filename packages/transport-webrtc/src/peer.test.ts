// Tests of how the peer connections of browsers are closed.

import test from 'ava';
import { closePeer } from './peer.ts';
import type { RtcPeerConnection } from './rtc.ts';

/** Stands for the RTCPeerConnection of a browser: only its states and `close` are used. */
class BrowserPeer {
  connectionState = 'connected';
  iceGatheringState = 'complete';
  onconnectionstatechange: (() => void) | null = null;
  onicegatheringstatechange: (() => void) | null = null;
  readonly closed: Promise<void>;
  closes = 0;
  close: () => void;

  constructor() {
    let resolve: () => void;
    this.closed = new Promise((resolved) => (resolve = resolved));
    this.close = () => {
      this.closes++;
      resolve();
    };
  }
}

test.before(() => {
  Object.assign(globalThis, { RTCPeerConnection: BrowserPeer });
});

function closing(states: Partial<BrowserPeer>): BrowserPeer {
  const peer = Object.assign(new BrowserPeer(), states);
  closePeer(peer as unknown as RtcPeerConnection);
  return peer;
}

test("a browser's peer connection that is connected, new or failed is closed immediately", (t) => {
  for (const connectionState of ['connected', 'new', 'failed', 'disconnected'])
    t.is(closing({ connectionState }).closes, 1, connectionState);
});

test('one that is connecting or looks for candidates is closed once it has done both', (t) => {
  const peer = closing({ connectionState: 'connecting', iceGatheringState: 'gathering' });
  t.is(peer.closes, 0);
  peer.connectionState = 'connected';
  peer.onconnectionstatechange!();
  t.is(peer.closes, 0);
  peer.iceGatheringState = 'complete';
  peer.onicegatheringstatechange!();
  t.is(peer.closes, 1);
  t.is(peer.onconnectionstatechange, null);
  t.is(peer.onicegatheringstatechange, null);
});

test('one that remains connecting is closed after a second', async (t) => {
  const peer = closing({ connectionState: 'connecting' });
  t.is(peer.closes, 0);
  await peer.closed;
  t.is(peer.closes, 1);
});
