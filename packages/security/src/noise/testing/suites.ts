// Both builds of the primitives, so that each test runs on both.

import type { Suite } from '../framework/suite.ts';
import { suite as native } from '../primitives.node.ts';
import { suite as portable } from '../primitives.ts';

export const suites: readonly { readonly name: string; readonly suite: Suite }[] = [
  { name: 'in plain JavaScript', suite: portable },
  { name: "by Node's crypto", suite: native },
];
