// Behaviors with messages of all sizes up to the limit.

import { TransportError } from '@trunkline/transport-core';
import type { Behavior } from './gossip-fixture.ts';

const LIMIT = 1_500_000;
/**
 * Sizes around one packet, one message of a transport, and the limit. They include JSON's quotes.
 */
const SIZES = [
  2,
  3,
  4_000,
  4_058,
  4_096,
  65_400,
  65_457,
  65_458,
  65_536,
  65_537,
  1_048_576,
  LIMIT - 1,
  LIMIT,
];

export const sizes: readonly Behavior[] = [
  {
    title:
      'every size up to the limit is delivered; one byte more fails at the publisher, and nothing is sent',
    async check(t, fixture) {
      await fixture.meet(['a', 'b'], { topic: { limit: LIMIT } });
      for (const size of SIZES) t.is((await fixture.publish('a', 'x'.repeat(size - 2))).queued, 1);
      await fixture.until(
        'b has read all messages',
        () => fixture.words('b').length === SIZES.length,
      );
      const error = await t.throwsAsync(fixture.publish('a', 'x'.repeat(LIMIT - 1)), {
        instanceOf: TransportError,
        code: 'resource_exhausted',
      });
      t.is((error as TransportError).reason, 'too_large');
      await fixture.publish('a', 'later');
      await fixture.heard('later', ['b']);
      const came = fixture
        .words('b')
        .filter((word) => word !== 'later')
        .map((word) => word.length + 2);
      t.deepEqual(
        came.sort((x, y) => x - y),
        SIZES,
      );
    },
  },
];
