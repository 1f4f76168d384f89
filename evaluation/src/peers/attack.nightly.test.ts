// Tests of an attacker that floods the address book, at full scale.

import ava from 'ava';
import { attack } from './attack.ts';

/** These tests run one at a time. */
const test = ava.serial;

for (const honest of [1_000, 900]) {
  test(`of a thousand dials of a node that knows ${honest} honest nodes, at most a tenth go to an attacker with addresses in a hundred groups`, async (t) => {
    const outcome = await attack({ seed: honest, honest, attackers: 2_000 });
    const { dials, caught, told, fresh, least } = outcome;
    t.log(
      `${caught} of ${dials} dials, ${told} addresses told by exchange, ${fresh} of the attacker's in the book`,
    );
    t.true(dials >= 1_000);
    t.true(caught <= dials / 10, `${caught} of ${dials}`);
    t.true(caught > 0 && fresh > 1_000, 'the attack reaches the node');
    t.is(told > 0, honest < 1_000, 'a node with enough addresses requests none');
    t.is(outcome.honest, honest, 'and no node that answers loses its place');
    t.true(least >= 1, 'it always keeps an honest peer that it dialed');
  });
}
