// Attacks on the nodes of a topic, while honest nodes publish.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario.ts';
import {
  Control,
  control,
  heardOf,
  Method,
  messageId,
  publishing,
  push,
  TopicAttacker,
  topicNodes,
} from './topic-nodes.ts';

const carrier = 'tcp';

export const gossipCrowd: readonly Scenario[] = [
  {
    name: 'gossip-publisher-flood',
    title: 'only publishes, faster than a validator of 20 ms checks',
    cases: [96],
    carrier,
    async run(run) {
      const validate = () => sleep(20).then(() => 'accept' as const);
      const limits = { validateAtOnce: 4, validateQueue: { messages: 256 } };
      const [victim, publisher] = await topicNodes(run, [{ topic: { validate, ...limits } }, {}]);
      const flooder = await TopicAttacker.connect(run, victim!, false);
      await flooder.send(Method.control, [control(Control.attach)]);
      let isOver = false;
      const flood = async () => {
        const begin = Date.now();
        for (let number = 0; !isOver && !flooder.connection.isOver; number += 64)
          await flooder.send(
            Method.push,
            Array.from({ length: 64 }, (_, at) =>
              push(messageId(flooder.id, begin, number + at), SHORT),
            ),
          );
      };
      const flooding = flood();
      const texts = await publishing(publisher!, MESSAGES, run.duration / MESSAGES);
      const succeeded = await heardOf(victim!, texts);
      isOver = true;
      flooder.connection.destroy();
      await flooding;
      return {
        answer: flooder.connection.goAway ?? 'nothing',
        honest: { succeeded, of: MESSAGES },
        flaws: [],
      };
    },
  },
];

const MESSAGES = 50;
const SHORT = new Uint8Array(100);
