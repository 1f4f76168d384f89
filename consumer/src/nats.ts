// Compiled as a program that uses NATS, in Node and in a page. The declarations of nats-core do not
// pass `exactOptionalPropertyTypes` themselves, so this program needs `skipLibCheck`.

import { createTransport, type Transport } from '@trunkline/transport-core';
import { nats } from '@trunkline/transport-nats';
import { type Ledger, ledger } from './ledger.ts';

const options = { protocol: ledger, backends: [nats()] };
export const transport: Transport<Ledger> = createTransport('nats://broker/ledger', options);
