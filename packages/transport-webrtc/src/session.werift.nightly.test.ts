// Session tests over WebRTC on werift.

import process from 'node:process';
import type { TestFunction, TransportTest } from '@trunkline/transport-testkit';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test, { registerCompletionHandler } from 'ava';
import * as werift from 'werift';
import type { RtcLibrary } from './rtc.ts';
import { atOnce } from './testing/at-once.ts';
import { createSessionBackend } from './testing/session-backend.ts';

const rtc = werift as unknown as RtcLibrary;

const FLOOD = 'alive: more than 10,000 requests a second that cannot be served are a flood';
const SLOW = 'werift sends tens of thousands of messages so slowly that it takes the path for lost';

const unlessFlood: TestFunction = (title, run) =>
  title.includes(FLOOD) ? test.skip(`${title} (skipped: ${SLOW})`, () => {}) : test(title, run);
const able: TransportTest = Object.assign(unlessFlood, { serial: test.serial, skip: test.skip });

sessionSuite(atOnce(1, able), createSessionBackend('webrtc on werift', rtc));

// biome-ignore lint/nursery/noJsRestrictedProperties: werift never stops looking for paths.
registerCompletionHandler(() => process.exit());
