// Runs the Noise project's test vectors on both builds of the primitives.

import test from 'ava';
import { fromHex, toHex } from '../testing/bytes.ts';
import { suites } from '../testing/suites.ts';
import { vectors } from '../testing/vectors.ts';
import { Handshake } from './handshake.ts';

for (const { name, suite } of suites) {
  for (const vector of vectors) {
    test(`${name}: the vector of ${vector.source.split(' ')[0]} holds at both ends`, (t) => {
      const end = (initiator: boolean, staticKey: string, ephemeralKey: string) =>
        new Handshake({
          suite,
          initiator,
          prologue: fromHex(vector.prologue),
          staticKey: suite.keyPair(fromHex(staticKey)),
          ephemeralKey: () => suite.keyPair(fromHex(ephemeralKey)),
        });
      const initiator = end(true, vector.initiatorStatic, vector.initiatorEphemeral);
      const responder = end(false, vector.responderStatic, vector.responderEphemeral);
      for (const [i, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
        const [from, to] = i % 2 === 0 ? [initiator, responder] : [responder, initiator];
        const message = from.write(() => fromHex(payload)) as Uint8Array;
        t.is(toHex(message), ciphertext);
        const received = to.read(message);
        t.true(typeof received !== 'string');
        if (typeof received !== 'string') t.is(toHex(received.payload), payload);
      }
      t.deepEqual([initiator.isOver, responder.isOver], [true, true]);
      t.is(toHex(initiator.hash), toHex(responder.hash));
      if (vector.handshakeHash !== undefined) t.is(toHex(initiator.hash), vector.handshakeHash);
      t.is(
        toHex(initiator.remoteStatic!),
        toHex(suite.keyPair(fromHex(vector.responderStatic)).publicKey),
      );
      t.is(
        toHex(responder.remoteStatic!),
        toHex(suite.keyPair(fromHex(vector.initiatorStatic)).publicKey),
      );
      const keys = [initiator.split(), responder.split()];
      for (const [i, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
        // The turns continue with the responder after the third message.
        const [from, to] = i % 2 === 0 ? [keys[1]!, keys[0]!] : [keys[0]!, keys[1]!];
        const sealed = new Uint8Array(payload.length / 2 + 16);
        from.send.seal(undefined, fromHex(payload), sealed, 0);
        t.is(toHex(sealed), ciphertext);
        t.is(toHex(to.receive.open(undefined, sealed)!), payload);
      }
    });
  }
}
