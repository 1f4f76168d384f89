// The process of the node: it serves a protocol and its admin. Each command returns the CPU time
// that it has used.

import { createAdmin } from '@trunkline/admin';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { protocol } from './protocol.ts';

/** The first report has the address, the others have the microseconds of CPU since the start. */
export interface NodeReport {
  readonly address?: string;
  readonly cpu?: number;
}

const admin = createAdmin({ allow: () => true });
const node = createTransport('tcp://127.0.0.1:0', {
  protocol,
  backends: [tcp()],
  observer: admin.observer,
});
serve(node, { greet: (name) => `Hello, ${name}!` });
admin.serve({ transport: node });
await node.listen();
runCommands<object, NodeReport>(
  async () => {
    const { user, system } = process.cpuUsage();
    return { cpu: user + system };
  },
  () => void node.close(),
);
report<NodeReport>({ address: node.advertiseAddr() });
