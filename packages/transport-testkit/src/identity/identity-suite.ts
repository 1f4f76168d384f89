// The identity suite: tests that both ends of a connection prove their ids, and that an end without
// a valid proof is refused.

import type { TestFunction } from '../test-runner.ts';
import type { IdentityBackend, IdentityCredentials } from './backend.ts';
import { bindingCases } from './bindings.ts';
import { claimCases } from './claims.ts';
import { dialedCases } from './dialed.ts';
import { flawCases } from './flaws.ts';
import { foreignProtocolCases } from './foreign-protocols.ts';
import { handshakeLimitCases } from './handshake-limits.ts';
import { listCases } from './lists.ts';
import { provingCases } from './proving.ts';
import { replayCases } from './replay.ts';
import { revokingCases } from './revoking.ts';
import { type Cases, register } from './suite.ts';
import { tamperingCases } from './tampering.ts';

/**
 * Declares every case for a backend whose connections prove node ids. Throws a TypeError if
 * `backend.skip` is invalid.
 * @param test the runner's `test`: AVA's, or any function of the same shape (see TestFunction).
 * @param backend makes nodes, and gives access to the plain connections that carry theirs.
 */
export function identitySuite<P extends IdentityCredentials>(
  test: TestFunction,
  backend: IdentityBackend<P>,
): void {
  // The suite gives a backend only credentials that the same backend made, so any type fits.
  register(test, backend as unknown as IdentityBackend<IdentityCredentials>, IDENTITY_CASES);
}

/** Functions that each declare the cases of one subject. */
export const IDENTITY_CASES: readonly Cases[] = [
  provingCases,
  bindingCases, // A secret that only both ends of a connection share.
  dialedCases, // The dialed node id must be the proven one.
  claimCases, // The id in a hello must be the proven one.
  flawCases, // Expired credentials, and another node's key.
  listCases, // Allowed and denied ids.
  revokingCases, // Lists that change while connections are up.
  foreignProtocolCases,
  handshakeLimitCases,
  replayCases,
  tamperingCases, // Handshakes that are cut off, and bits that are changed on the way.
];
