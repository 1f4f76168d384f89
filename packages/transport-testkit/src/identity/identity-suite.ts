// The identity suite: tests that both ends of a connection prove their ids, and that an end without
// a valid proof is refused.

import type { TestFunction } from '../test-runner.ts';
import type { IdentityBackend, IdentityCredentials } from './backend.ts';
import { bindingCases } from './bindings.ts';
import { certificateCases } from './certificates.ts';
import { claimCases } from './claims.ts';
import { cuttingCases } from './cutting.ts';
import { dialedCases } from './dialed.ts';
import { foreignProtocolCases } from './foreign-protocols.ts';
import { handshakeLimitCases } from './handshake-limits.ts';
import { impostorCases } from './impostors.ts';
import { listCases } from './lists.ts';
import { provingCases } from './proving.ts';
import { replayCases } from './replay.ts';
import { revokingCases } from './revoking.ts';
import { rotationCases } from './rotation.ts';
import { type Cases, register } from './suite.ts';
import { tamperingCases } from './tampering.ts';
import { tlsCases } from './tls.ts';
import { unusableCases } from './unusable.ts';

/**
 * Declares every case for a backend whose connections prove node ids.
 * @param test the runner's `test`: AVA's, or any function of the same shape (see TestFunction).
 * @param backend makes nodes, and gives access to the plain connections that carry theirs.
 */
export function identitySuite<P extends IdentityCredentials>(
  test: TestFunction,
  backend: IdentityBackend<P>,
): void {
  // The suite gives a backend only credentials that the same backend made, so any type fits.
  register(test, backend as unknown as IdentityBackend<IdentityCredentials>, CASES);
}

/** Functions that each declare the cases of one subject. */
const CASES: readonly Cases[] = [
  provingCases,
  bindingCases, // A secret that only both ends of a connection share.
  dialedCases, // The dialed node id must be the proven one.
  claimCases, // The id in a hello must be the proven one.
  impostorCases, // Another node's public key without its private key.
  certificateCases, // Certificates that are refused.
  unusableCases, // Credentials that cannot be used at all.
  listCases, // Allowed and denied ids.
  revokingCases, // Lists that change while connections are up.
  rotationCases, // Certificates that change while a transport runs.
  tlsCases, // TLS clients that are not ours.
  foreignProtocolCases,
  handshakeLimitCases,
  replayCases,
  cuttingCases, // Handshakes that are cut off at any byte.
  tamperingCases, // Bits that are changed on the way.
];
