// The identity suite: tests how both ends of a connection prove their ids, and what becomes of
// those that cannot. COVERAGE.md lists which case covers which requirement.

import type { TestFunction } from '../test-runner.ts';
import type { IdentityBackend, NodeCredentials } from './backend.ts';
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
 * @param test the runner's: AVA's `test`, or anything of its shape (see TestFunction).
 * @param backend how to make nodes, and what lies beneath their connections.
 */
export function identitySuite<P extends NodeCredentials>(
  test: TestFunction,
  backend: IdentityBackend<P>,
): void {
  register(test, backend as unknown as IdentityBackend<NodeCredentials>, CASES);
}

const CASES: readonly Cases[] = [
  provingCases,
  bindingCases,
  dialedCases,
  claimCases,
  impostorCases,
  certificateCases,
  unusableCases,
  listCases,
  revokingCases,
  rotationCases,
  tlsCases,
  foreignProtocolCases,
  handshakeLimitCases,
  replayCases,
  cuttingCases,
  tamperingCases,
];
