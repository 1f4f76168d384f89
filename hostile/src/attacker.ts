// The attacker's process: it runs one attack and reports how the victim answered.

import { ATTACKS } from './all-attacks.ts';
import { type Effort, Field } from './attack.ts';
import type { Target } from './carriers.ts';
import { obey } from './orders.ts';

export interface AttackerOrder {
  readonly attack: string;
  readonly target: Target;
  readonly effort: Effort;
}

export interface AttackerReport {
  readonly answer: string;
}

obey<AttackerOrder, AttackerReport>(
  async ({ attack: name, target, effort }) => {
    const attack = ATTACKS.find((each) => each.name === name)!;
    const field = new Field(target, effort);
    try {
      return { answer: await attack.run(field) };
    } finally {
      field.close();
    }
  },
  () => {},
);
