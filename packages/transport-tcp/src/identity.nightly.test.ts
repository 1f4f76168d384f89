// Identity tests of TCP under mutual TLS: the sweeps over each byte of a handshake.

import test from 'ava';
import { tlsIdentity } from './testing/tls-identity.ts';

await tlsIdentity(test, 'sweeps');
