// A page with one transport over WebRTC, which proves its node id.

import { createIdentity } from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { webrtc } from '@trunkline/transport-webrtc';
import { lines, QUICK } from '../lines.ts';
import { nodeSignal } from './node-signal.ts';
import { offerLines } from './offer-lines.ts';

const identity = createIdentity();
const backends = [webrtc({ signal: nodeSignal, identity })];
const options = { protocol: lines, backends, keepAlive: QUICK, dialTimeout: 3_000 };
offerLines(createTransport('webrtc://0', options));
