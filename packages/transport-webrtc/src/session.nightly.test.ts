// Session tests over WebRTC.

import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { atOnce } from './testing/at-once.ts';
import { createSessionBackend } from './testing/session-backend.ts';

sessionSuite(atOnce(8, test), createSessionBackend('webrtc'));
