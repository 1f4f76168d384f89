// A server of the ledger in a separate process. It prints its address, and then the id of each
// `append` before it answers.

import { writeSync } from 'node:fs';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ledger } from './kill-scenario.ts';

const transport = createTransport('tcp://127.0.0.1:0', { protocol: ledger, backends: [tcp()] });
serve(transport, {
  read: (id) => id,
  append(id) {
    // Written synchronously, so that no line is lost when the process is killed.
    writeSync(1, `${id}\n`);
    return id;
  },
});
await transport.listen();
writeSync(1, `${transport.localAddr()}\n`);
