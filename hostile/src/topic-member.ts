// A member of a topic as docs/wire-gossip.md describes it: announces that it has interests, answers
// the pull for its list, and joins the view.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { AttackerConnection } from './attacker-connection.ts';
import { concat, frame, Kind, type ReadFrame, text } from './wire.ts';

export const GOSSIP = 2;
const Method = { push: 1, control: 2, view: 3, interest: 4, pull: 5 } as const;

/**
 * Makes the victim accept the attacker as a member of the topic with this key, and as a neighbor.
 */
export async function joinTopic(
  attacker: AttackerConnection,
  nodeId: string,
  topic: Uint8Array,
): Promise<void> {
  let pulled = false;
  attacker.onFrame = (read) => {
    if (read.kind !== Kind.request || read.channel !== GOSSIP) return;
    if (read.method !== Method.pull)
      attacker.send(frame({ kind: Kind.error, id: read.id, code: 12, flags: 1 }));
    else {
      pulled = true;
      const payload = list(read, nodeId, attacker.victimId, topic);
      attacker.send(frame({ kind: Kind.response, id: read.id, payload }));
    }
  };
  const send = (method: number, message: object) =>
    attacker.send(
      frame({ kind: Kind.oneway, channel: GOSSIP, method, payload: text(JSON.stringify(message)) }),
    );
  send(Method.interest, { seq: 1, empty: false });
  await attacker.until(() => pulled);
  await attacker.settled();
  const join = { type: 'join', request: 1 };
  send(Method.view, { topic: Buffer.from(topic).toString('hex'), message: join });
  await attacker.settled();
}

/** Makes the answer to a pull: number, check, salt and eight tags, one of them the topic's. */
function list(
  { payload: question }: ReadFrame,
  teller: string,
  hearer: string,
  topic: Uint8Array,
): Uint8Array {
  const salt = randomBytes(16);
  const asked = concat(
    text('trunkline.gossip list\0'),
    Buffer.from(teller, 'hex'),
    Buffer.from(hearer, 'hex'),
    question,
    salt,
  );
  const tag = createHmac('sha256', topic)
    .update(createHash('sha256').update(asked).digest())
    .digest()
    .subarray(0, 16);
  const tags = [tag, ...Array.from({ length: 7 }, () => randomBytes(16))].sort(Buffer.compare);
  const number = Uint8Array.of(0, 0, 0, 1);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(fnv1a(concat(question, number, salt, ...tags)));
  return concat(number, check, salt, ...tags);
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
