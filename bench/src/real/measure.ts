// Measures a task of a library between a server and a client, which are fresh processes.

import { Child, withChildren } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { Figures } from '../stopwatch.ts';
import type { Command, Report } from './child.ts';
import type { Carrier } from './library.ts';

export function measure(library: string, carrier: Carrier, command: Command): Promise<Figures> {
  return withChildren(async (started) => {
    const start = (role: string, core: string | undefined, ...args: string[]) =>
      Child.start<Command, Report>({
        name: `the ${role} of ${library}`,
        script: './real/child.js',
        args: [role, library, carrier, ...args],
        core,
        started,
      });
    const server = await start('server', cores[0]);
    const pid = String(server.child.pid);
    const { child } = await start('client', cores[1], server.report.address!, pid);
    return (await child.run(command)).figures!;
  });
}
