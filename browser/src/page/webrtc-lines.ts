// A page with one transport over WebRTC, which proves its node id.

import { createIdentity } from '@trunkline/security';
import { createWebRtcTransport } from '@trunkline/transport-webrtc';
import { lines, QUICK } from '../lines.ts';
import { nodeSignal } from './node-signal.ts';
import { offerLines } from './offer-lines.ts';

const identity = createIdentity();
const options = { protocol: lines, keepAlive: QUICK, dialTimeout: 3_000 };
offerLines(createWebRtcTransport({ ...options, signal: nodeSignal, identity }));
