// Tests how names on a command line are resolved.

import test from 'ava';
import { named } from './named.ts';

const all = ['tcp', 'tcp-json', 'ws'];
const chosen = (...names: string[]) => named('adapter', 'adapter', all, (each) => each, names);

test('a name matches completely if possible, otherwise as a prefix', (t) => {
  t.deepEqual(chosen('tcp'), ['tcp']);
  t.deepEqual(chosen('tc'), ['tcp', 'tcp-json']);
  t.deepEqual(chosen('ws', 'tcp-'), ['tcp-json', 'ws']);
  t.deepEqual(chosen(), all);
  t.throws(() => chosen('ws', 'udp'), {
    instanceOf: TypeError,
    message: "--adapter: no adapter is named 'udp'; there are tcp, tcp-json, ws",
  });
});
