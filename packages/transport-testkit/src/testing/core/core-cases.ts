// The cases that show what core promises of a Transport, on any backend. They are not published:
// the transport suite has the cases that depend on a backend.

import type { Cases } from '../../transport/suite.ts';
import { callCases } from './calls.ts';
import { cancellationCases } from './cancellation.ts';
import { codecCases } from './codecs.ts';
import { deadlineCases } from './deadlines.ts';
import { gatewayCases } from './gateways.ts';
import { mountCases } from './mounts.ts';
import { observingCases } from './observing.ts';
import { oneWayCases } from './one-way.ts';
import { readerCases } from './readers.ts';
import { reentrancyCases } from './reentrancy.ts';
import { reusedMemoryCases } from './reused-memory.ts';
import { streamBoundCases } from './stream-bounds.ts';
import { streamEndCases } from './stream-ends.ts';
import { streamCases } from './streaming.ts';
import { traitCases } from './traits.ts';
import { trySendCases } from './try-send.ts';
import { unreadCases } from './unread.ts';

/** The cases in which bytes, sizes or the time of their arrival matter. */
export const byteCases: readonly Cases[] = [
  callCases,
  cancellationCases,
  codecCases,
  oneWayCases,
  reusedMemoryCases,
  streamBoundCases,
  streamEndCases,
  streamCases,
  trySendCases,
  unreadCases,
];

/** All cases. */
export const coreCases: readonly Cases[] = [
  ...byteCases,
  deadlineCases,
  gatewayCases,
  mountCases,
  observingCases,
  readerCases,
  reentrancyCases,
  traitCases,
];
