// Session tests over WebRTC on werift.

import { sessionSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { atOnce } from './testing/at-once.ts';
import { createSessionBackend } from './testing/session-backend.ts';

const rtc = werift as unknown as RtcLibrary;

sessionSuite(atOnce(1, test), createSessionBackend('webrtc on werift', rtc));
