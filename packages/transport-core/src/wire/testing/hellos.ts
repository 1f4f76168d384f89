// Hellos of tests.

import type { Hello, HelloLimits } from '../hello.ts';

type Fields = Partial<Omit<Hello, 'limits'>> & { limits?: Partial<HelloLimits> };

/** Returns a hello of wire version 1; omitted fields are empty or 0. */
export function helloOf({ limits, ...fields }: Fields): Hello {
  return {
    wireMin: 1,
    wireMax: 1,
    instance: '',
    network: '',
    addr: '',
    agent: '',
    nodeId: '',
    protocols: [],
    features: [],
    observed: '',
    fields: {},
    ...fields,
    limits: {
      message: 0,
      item: 0,
      packet: 0,
      pipe: 0,
      inbox: 0,
      stream: 0,
      calls: 0,
      streams: 0,
      ...limits,
    },
  };
}
