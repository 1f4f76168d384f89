// Both ends of a greeting, with keys that are the same in every run.

import { seededRandom } from '@trunkline/transport-core/testing';
import { createIdentity, type Identity } from '../../identity/identity.ts';
import type { KeyPair, Suite } from '../framework/suite.ts';
import { Greeting, type GreetingStep, type SecureChannel } from '../wire/greeting.ts';
import type { HandshakeRole } from '../wire/identity-proof.ts';
import { pattern } from './bytes.ts';

export const ada = createIdentity({ random: seededRandom(1) });
export const bob = createIdentity({ random: seededRandom(2) });

export interface EndOptions {
  readonly suite: Suite;
  readonly role: HandshakeRole;
  readonly identity?: Pick<Identity, 'publicKey' | 'sign'>;
  /** The seed of the static and the ephemeral key. */
  readonly seed?: number;
  /** Replaces the static key derived from the seed. */
  readonly staticKey?: KeyPair;
}

export function greeting({
  suite,
  role,
  identity = role === 'initiator' ? ada : bob,
  seed = role === 'initiator' ? 1 : 2,
  staticKey,
}: EndOptions): Greeting {
  const draw = (more: number) => suite.keyPair(pattern(32, seed * 100 + more));
  return new Greeting({
    suite,
    role,
    identity,
    staticKey: staticKey ?? draw(1),
    ephemeralKey: () => draw(2),
  });
}

/** The messages of the initiator and the responder, in order, of a successful greeting. */
export interface Said {
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly third: Uint8Array;
}

export interface Greeted {
  readonly initiator: SecureChannel;
  readonly responder: SecureChannel;
  readonly said: Said;
}

/** Lets two ends greet each other, one whole message at a time. */
export function greet(initiator: Greeting, responder: Greeting): Greeted {
  const first = initiator.begin();
  const { send: second } = responder.receive(first) as GreetingStep;
  const last = initiator.receive(second!) as GreetingStep;
  const end = responder.receive(last.send!) as GreetingStep;
  return {
    initiator: last.done!,
    responder: end.done!,
    said: { first, second: second!, third: last.send! },
  };
}

/** Lets two ends with these options greet each other. */
export function greetBoth(
  suite: Suite,
  initiator: Partial<EndOptions> = {},
  responder: Partial<EndOptions> = {},
): Greeted {
  return greet(
    greeting({ suite, role: 'initiator', ...initiator }),
    greeting({ suite, role: 'responder', ...responder }),
  );
}

/** Returns every step that the chunks cause. */
export function feed(end: Greeting, ...chunks: readonly Uint8Array[]): GreetingStep[] {
  const steps: GreetingStep[] = [];
  for (const chunk of chunks) {
    for (let step = end.receive(chunk); step !== undefined; step = end.receive(new Uint8Array(0)))
      steps.push(step);
  }
  return steps;
}

/** Returns an initiator that has begun. */
export function begun(suite: Suite): Greeting {
  const end = greeting({ suite, role: 'initiator' });
  end.begin();
  return end;
}
