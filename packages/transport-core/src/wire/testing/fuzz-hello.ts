// Fuzzes the hello: bytes either decode to a hello, or yield a description of the problem. A
// decoded hello can be encoded and decoded again.

import { type Random, randomBytes } from '../../random.ts';
import {
  decodeHello,
  decodeProtocols,
  encodeHello,
  encodeProtocols,
  type Hello,
} from '../hello.ts';
import { randomText, randomUint } from './frames.ts';
import { helloOf } from './hellos.ts';
import { hex } from './proto.ts';

export const target = {
  run(input: Uint8Array): void {
    const hello = decodeHello(input);
    if (typeof hello !== 'string') {
      const again = decodeHello(encodeHello(hello));
      if (JSON.stringify(again) !== JSON.stringify(hello))
        throw new Error(`it reads otherwise once it was written: ${JSON.stringify(again)}`);
    }
    const protocols = decodeProtocols(input);
    if (typeof protocols === 'string') return;
    const again = decodeProtocols(encodeProtocols(protocols));
    if (JSON.stringify(again) !== JSON.stringify(protocols))
      throw new Error(`protocols read otherwise once they were written: ${JSON.stringify(again)}`);
  },

  *seeds(): Iterable<Uint8Array> {
    yield encodeHello({ ...bare, instance: '0123456789abcdef'.repeat(2) });
    yield encodeProtocols({
      protocols: [{ name: 'chat', version: 1, accepts: [1, 2], channel: 0x20 }],
      addr: 'tcp://127.0.0.1:7000',
    });
  },

  make(random: Random): Uint8Array {
    return encodeHello(randomHello(random));
  },

  tokens: ['constructor', '__proto__', 'default', 'chat', '\u00ff'],
};

function randomHello(random: Random): Hello {
  const below = (limit: number) => Math.floor(random() * limit);
  const text = () => randomText(random, below(random() < 0.1 ? 60 : 12));
  const [channel, ...fields] = [below(250), text(), text()];
  return {
    ...bare,
    wireMin: below(3),
    wireMax: below(3),
    instance: hex(randomBytes(random, 16)),
    network: text(),
    addr: text(),
    agent: text(),
    nodeId: random() < 0.5 ? '' : hex(randomBytes(random, 32)),
    protocols: Array.from({ length: below(4) }, (_, i) => ({
      name: `${text()}${i}`,
      version: below(300),
      accepts: [below(9), below(300)],
      channel: channel + i,
    })),
    limits: {
      ...bare.limits,
      message: randomUint(random),
      pipe: randomUint(random) >>> 1,
      calls: randomUint(random),
    },
    features: Array.from({ length: below(3) }, text),
    fields: Object.fromEntries(fields.map((field) => [field, text()])),
  };
}

const bare = helloOf({ network: 'default', limits: { packet: 65_536 } });
