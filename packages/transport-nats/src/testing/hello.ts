// The preamble and the HELLO of a dialer, from the vectors of docs/wire-protocol.md.

import { readFileSync } from 'node:fs';

const vectors = readFileSync(
  new URL('../../../../docs/wire-vectors.json', import.meta.url),
  'utf8',
);
const [preamble, frame] = JSON.parse(vectors).conversations.find(
  ({ name }: { name: string }) => name === 'hello-accepted',
).frames;

export const HELLO: Uint8Array = bytesOf(`${preamble.bytes} ${frame.bytes}`);

/** Reads bytes as the vectors write them: 'aa*3' is three times 'aa'. */
function bytesOf(vector: string): Uint8Array {
  return Uint8Array.from(
    vector.split(' ').flatMap((each) => {
      const [byte, times = 1] = each.split('*');
      return Array<number>(Number(times)).fill(Number.parseInt(byte!, 16));
    }),
  );
}
