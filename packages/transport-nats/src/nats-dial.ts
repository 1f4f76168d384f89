// One dial: a request to the subject of a name, and the answer of the node that got it. The first
// bytes of the stream then travel with our confirmation.

import type { Clock, Random } from '@trunkline/transport-core';
import { type ErrorReason, TransportError } from '@trunkline/transport-core';
import { cleanText, ERROR_REASONS, reasonError } from '@trunkline/transport-core/backend';
import {
  decodeAcceptance,
  decodeRefusal,
  encodeConfirmation,
  encodeRequest,
  MessageType,
} from './message.ts';
import { type LinkOwner, LONGEST, MessageLink } from './message-link.ts';
import type { Subjects } from './nats-address.ts';
import type { NatsClient } from './nats-client.ts';
import { NatsStreamConnection } from './nats-connection.ts';
import { randomId } from './random-id.ts';

export interface DialPlace {
  readonly client: NatsClient;
  readonly subjects: Subjects;
  /** The beginning of the subjects at which this node receives. */
  readonly inbox: string;
  /** The dialed address, and the name in it. */
  readonly address: string;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** A dial that is under way. */
export interface PendingDial {
  /**
   * Ends the dial and leaves nothing behind. `done` is not called anymore, except with the error
   * that no credit is left. Does nothing after `done`.
   */
  abandon(): void;
}

/**
 * Begins a dial. `done` receives the connection or the error, or undefined if the node may be lost
 * and the caller should begin anew; unless the dial was abandoned before that. It is called once,
 * never inside this call.
 */
export function dialByName(
  { client, subjects, inbox, address, name, clock, random }: DialPlace,
  done: (result: NatsStreamConnection | TransportError | undefined) => void,
): PendingDial {
  const granted = client.credit.open();
  if (granted === 0) {
    const error = new TransportError(
      'resource_exhausted',
      `Cannot connect to ${address}: the connections over the NATS server ${client.server} have taken all credit; raise maxPending (and max_pending of the server)`,
      { target: address, reason: 'full' },
    );
    clock.defer(() => done(error));
    return { abandon: () => {} };
  }
  let isOver = false;
  const end = () => {
    isOver = true;
    forget();
    client.credit.give(granted);
    link.close();
  };
  const fail = (error: TransportError | undefined) => {
    if (isOver) return;
    end();
    done(error);
  };
  const owner: LinkOwner = {
    message(type, content, reply) {
      if (isOver) return;
      if (type === MessageType.refuse) return fail(refused(address, content));
      if (type !== MessageType.accept) return fail(wrong(address, `a message of type ${type}`));
      const acceptance = decodeAcceptance(content);
      if (typeof acceptance === 'string') return fail(wrong(address, acceptance));
      if (!isMet(reply(), acceptance.max)) return fail(wrong(address, 'no subject of its own'));
      isOver = true;
      forget();
      const max = Math.min(LONGEST, client.maxPayload);
      const { cookie } = acceptance;
      done(
        new NatsStreamConnection(link, address, { granted, credit: 0 }, clock, {
          confirmation: encodeConfirmation({ max, cookie, credit: granted }),
          answered: (type, content, reply) => {
            if (type === MessageType.refuse) return refused(address, content);
            if (type !== MessageType.credit) return wrong(address, `a message of type ${type}`);
            return isMet(reply) ? undefined : wrong(address, 'no subject of its own');
          },
        }),
      );
    },
    absent: () =>
      fail(
        reasonError(
          'connection_refused',
          `Cannot connect to ${address}: no node listens under this name; check that the peer is running, and its prefix and network`,
          { target: address },
        ),
      ),
    failed: (error) => fail(prefixed(address, error)),
    doubt: () => fail(undefined),
  };
  const link = new MessageLink(client, `${inbox}.${randomId(random)}`, owner, 0);
  const isMet = (peer: string, max?: number) => {
    if (subjects.nodeOf(peer) === undefined) return false;
    link.meet(peer, max);
    return true;
  };
  const subject = subjects.dial(name);
  const forget = client.refusedFor(subject, owner);
  client.publish(subject, encodeRequest(), link.subject);
  return {
    abandon: () => {
      if (!isOver) end();
    },
  };
}

/** Returns the error of a dial that failed because of its client. */
export function prefixed(address: string, error: TransportError): TransportError {
  const { code, reason, message, cause } = error;
  return new TransportError(code, `Cannot connect to ${address}: ${message}`, {
    reason,
    target: address,
    cause,
  });
}

function refused(address: string, content: Uint8Array): TransportError {
  const { reason, message } = decodeRefusal(content);
  const text = `Cannot connect to ${address}: the node refuses: ${cleanText(message)}`;
  const options = { target: address, origin: 'remote' } as const;
  return reason !== undefined && Object.hasOwn(ERROR_REASONS, reason)
    ? reasonError(reason as ErrorReason, text, options)
    : new TransportError('unavailable', text, options);
}

function wrong(address: string, what: string): TransportError {
  return reasonError('malformed', `Cannot connect to ${address}: the node answered with ${what}`, {
    target: address,
  });
}
