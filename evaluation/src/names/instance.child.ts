// An instance of the ledger in a process of its own, with peers. It prints its address, and then
// the id of each `append` before it answers.

import { writeSync } from 'node:fs';
import { createPeers } from '@trunkline/peers';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ledger } from './ledger.ts';

const transport = createTransport('tcp://127.0.0.1:0', { protocol: ledger, backends: [tcp()] });
const peers = createPeers({ transport, services: ['ledger'], maxOutbound: 0 });
serve(transport, {
  read: (id) => id,
  append(id) {
    // Written synchronously, so that a kill loses no line.
    writeSync(1, `${id}\n`);
    return id;
  },
});
await transport.listen();
await peers.start();
writeSync(1, `${transport.localAddr()}\n`);
