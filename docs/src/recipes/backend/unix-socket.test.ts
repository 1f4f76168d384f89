// Runs the suite of stream layers on the recipe's backend over Unix domain sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemRandom } from '@trunkline/transport-core';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { unix } from './unix-socket.ts';

const NO_RESET = 'a Unix socket ends in the same way whether it was closed or reset';

streamLayerSuite(test, {
  name: 'unix',
  skip: {
    'destroy ends at once: the other end reports closed with reset': NO_RESET,
    'the acceptor may destroy as well': NO_RESET,
  },
  make({ clock }: { clock: Clock }) {
    const folder = mkdtempSync(join(tmpdir(), 'unix-'));
    let made = 0;
    return {
      layer: (bindAddr = join(folder, `${++made}.sock`), advertiseAddr) =>
        unix().layer({ bindAddr, advertiseAddr, clock, random: systemRandom, observer: undefined }),
      malformed: ['', 'relative.sock', 'tcp://127.0.0.1:1', `/${'x'.repeat(200)}`],
      close: () => rmSync(folder, { recursive: true }),
    };
  },
});
