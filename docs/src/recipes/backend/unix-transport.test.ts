// Runs the suite of transports on the recipe's backend over Unix domain sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { unix } from './unix-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'unix-'));
let made = 0;

transportSuite(test, {
  name: 'unix',
  create(options, { address = `unix://${folder}/${++made}.sock`, advertiseAddr, wrap } = {}) {
    const backends = [wrapped(unix(), wrap)];
    return createTransport(address, { ...options, advertiseAddr, backends });
  },
  unreachable: () => `unix://${folder}/nobody.sock`,
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'each path can be dialed',
  },
});

test.after.always(() => rmSync(folder, { recursive: true }));
