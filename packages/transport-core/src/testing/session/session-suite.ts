// docs/wire-protocol.md as tests: every rule, checked by a raw peer that shares no code with core.
// mutants/wire.txt lists a fault for each rule, and a test that fails because of it.

import type { TestFunction } from '@trunkline/transport-testkit';
import { aliveCases } from './alive-cases.ts';
import { callCases } from './call-cases.ts';
import { cancelCases } from './cancel-cases.ts';
import { runCase } from './case-waits.ts';
import { suiteOf } from './checks.ts';
import { closingCases } from './closing-cases.ts';
import { crossingCases } from './crossing-cases.ts';
import { dispatchCases } from './dispatch-cases.ts';
import { earlyCases } from './early-cases.ts';
import { endingCases } from './ending-cases.ts';
import { fieldCases } from './field-cases.ts';
import { frameCases } from './frame-cases.ts';
import { helloCases } from './hello-cases.ts';
import { longCases } from './long-cases.ts';
import { orderCases } from './order-cases.ts';
import { poolCases } from './pool-cases.ts';
import { preambleCases } from './preamble-cases.ts';
import { pressureCases } from './pressure-cases.ts';
import { protocolCases } from './protocol-cases.ts';
import { receiverCreditCases } from './receiver-credit-cases.ts';
import { refusalCases } from './refusal-cases.ts';
import { senderCreditCases } from './sender-credit-cases.ts';
import type { SessionBackend } from './session-fixture.ts';
import { stateCases } from './state-cases.ts';
import { streamCases } from './stream-cases.ts';
import { textCases } from './text-cases.ts';

/**
 * Declares the cases for one kind of stream.
 * @param backend creates stream layers for the raw peer and transports to test.
 */
export function sessionSuite(test: TestFunction, backend: SessionBackend): void {
  const suite = suiteOf(atMost(CASES_AT_ONCE, test, backend), backend);
  for (const cases of CASES) cases(suite);
}

/**
 * Limits the number of cases that run at the same time. Runners start all cases of a file together,
 * and some cases hold 64 MiB. A case that hangs keeps its place until it ends.
 */
function atMost(count: number, test: TestFunction, { name }: SessionBackend): TestFunction {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return (title, run) =>
    test(`${name}: ${title}`, async (t) => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      t.teardown(leave);
      await runCase(t, title, run);
    });
}

const CASES = [
  preambleCases,
  frameCases,
  fieldCases,
  helloCases,
  refusalCases,
  earlyCases,
  protocolCases,
  callCases,
  cancelCases,
  textCases,
  dispatchCases,
  streamCases,
  stateCases,
  crossingCases,
  senderCreditCases,
  receiverCreditCases,
  longCases,
  orderCases,
  pressureCases,
  poolCases,
  endingCases,
  closingCases,
  aliveCases,
];
const CASES_AT_ONCE = 4;
