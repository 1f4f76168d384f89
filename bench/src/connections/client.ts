// A process that opens connections and holds them: `client.js <kind> <address>`.

import { obey, report } from '../orders.ts';
import { type KindName, kindOf } from './by-name.ts';

/** So many connections more, so many of them shaking hands at a time; none to ask how many are lost. */
export interface ClientOrder {
  readonly open: number;
  readonly atOnce: number;
}

export interface ClientReport {
  readonly lost: number;
}

const [kind, address] = process.argv.slice(2);
const holder = await kindOf(kind as KindName).connect(address!);

obey<ClientOrder, ClientReport>(
  async ({ open, atOnce }) => {
    let left = open;
    const work = async () => {
      while (left-- > 0) await holder.open();
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return { lost: holder.lost };
  },
  () => void holder.close(),
);
report<ClientReport>({ lost: 0 });
