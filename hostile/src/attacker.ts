// The attacker's process: it runs an attack and reports how the victim answered, or sends the bytes
// of its last attack to a sink.

import { ATTACKS } from './all-attacks.ts';
import { AttackRun, type Effort } from './attack.ts';
import { onSocket, type Target } from './carriers.ts';
import { serveCommands } from './parent-channel.ts';
import { Recording } from './recording.ts';

export type AttackerCommand =
  | {
      readonly do: 'attack';
      readonly attack: string;
      readonly target: Target;
      readonly effort: Effort;
    }
  /** Sends the bytes of the last attack to a sink at this port, for as many milliseconds. */
  | { readonly do: 'replay'; readonly port: number; readonly milliseconds: number };

export interface AttackerReport {
  readonly answer: string;
}

let recording = new Recording();

serveCommands<AttackerCommand, AttackerReport>(
  async (command) => {
    if (command.do === 'replay') {
      await recording.replay(command.port, command.milliseconds);
      return { answer: '' };
    }
    const { attack: name, target, effort } = command;
    const attack = ATTACKS.find((each) => each.name === name)!;
    recording = new Recording();
    onSocket((socket) => recording.watch(socket));
    const run = new AttackRun(target, effort);
    try {
      return { answer: await attack.run(run) };
    } finally {
      run.close();
    }
  },
  () => {},
);
