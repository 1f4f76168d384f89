// The attacker's process: it runs one attack and reports how the victim answered.

import { ATTACKS } from './all-attacks.ts';
import { AttackRun, type Effort } from './attack.ts';
import type { Target } from './carriers.ts';
import { serveCommands } from './parent-channel.ts';

export interface AttackerCommand {
  readonly attack: string;
  readonly target: Target;
  readonly effort: Effort;
}

export interface AttackerReport {
  readonly answer: string;
}

serveCommands<AttackerCommand, AttackerReport>(
  async ({ attack: name, target, effort }) => {
    const attack = ATTACKS.find((each) => each.name === name)!;
    const run = new AttackRun(target, effort);
    try {
      return { answer: await attack.run(run) };
    } finally {
      run.close();
    }
  },
  () => {},
);
