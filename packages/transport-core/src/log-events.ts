// An observer that writes the events and counters that an operator should see to a logger. It is
// also tested in transport-inmem (observing.test.ts), and with real loggers in docs
// (src/observing/loggers.test.ts).

import { isOrderly } from './errors.ts';
import type { Observer, ObserverEvent, TransportCounter } from './observer.ts';
import type { Remote } from './remote.ts';
import { inMs } from './text.ts';

/**
 * Returns an observer that writes the few messages that an operator should see to a logger:
 * `console`, pino, bunyan, winston, or any object with the same methods. Errors of the logger are
 * ignored.
 *
 * @throws TypeError if a method of the logger is missing.
 */
export function logEvents(logger: Logger): Observer {
  if (!METHODS.every((name) => typeof logger?.[name] === 'function'))
    throw new TypeError(
      'logEvents: expected a logger with the methods debug, info, warn and error',
    );
  // Winston takes the text and the details as one object. Its module and its loggers have this
  // method; other loggers do not. (`levels` and `log` are also members of loglevel.)
  const takesOne = 'startTimer' in logger;
  // The text has the message of the error, because JSON has only the other fields of an Error.
  const write = (level: keyof Logger, details: Details, text: string) => {
    const { err } = details;
    const message = err instanceof Error ? `${text}: ${err.message}` : text;
    if (!takesOne) return logger[level](details, message);
    const stack = err instanceof Error ? err.stack : undefined;
    (logger[level] as (info: object) => void)({ ...details, message, stack });
  };
  /** Counters that were logged, of any transport that has this observer. */
  const logged = new Set<TransportCounter>();
  return {
    event: (event) => write(...messageOf(event)),
    // A counter is logged when it goes up for the first time, because a flood would otherwise fill
    // the log; not while the transport closes, when it is normal that one-ways are dropped.
    count(counter, _, remote, isClosing) {
      if (!ALARMS.has(counter) || logged.has(counter) || isClosing) return;
      logged.add(counter);
      const text = `the counter '${counter}' went up for the first time; see the snapshot for its value`;
      write('warn', { counter, remote: remote && peer(remote) }, text);
    },
  };
}

const METHODS = ['debug', 'info', 'warn', 'error'] as const;

type Details = Readonly<Record<string, unknown>>;

/**
 * Returns the level, the details and the text of an event. The compiler requires a message for
 * each type of event, because the function has to return one.
 */
function messageOf(event: ObserverEvent): [keyof Logger, Details, string] {
  switch (event.type) {
    case 'up':
      return ['debug', { remote: peer(event.remote) }, 'a connection is up'];
    case 'down': {
      const { remote, cause } = event;
      const level = cause !== undefined && isOrderly(cause) ? 'debug' : 'info';
      return [level, { remote: peer(remote), err: cause }, 'a connection is down'];
    }
    case 'mismatch': {
      const { remote, protocol, error } = event;
      const text = `a peer cannot speak protocol '${protocol}' with this node`;
      return ['warn', { remote: peer(remote), err: error }, text];
    }
    case 'rejected': {
      const { endpoint, direction, error } = event;
      return ['info', { endpoint, direction, err: error }, 'a handshake failed'];
    }
    case 'dialFailed':
      return ['info', { target: event.target, err: event.error }, 'a dial failed'];
    case 'listenFailed': {
      const { error, retryIn } = event;
      return ['error', { err: error }, `the listener failed; it listens again in ${inMs(retryIn)}`];
    }
    case 'acceptFailed':
      return ['warn', { err: event.error }, 'a connection could not be accepted'];
    case 'broker': {
      const { state, server, error } = event;
      const level = state === 'connected' ? 'info' : 'warn';
      return [level, { server, err: error }, `the connection to a broker: ${state}`];
    }
    case 'callbackFailed': {
      const { callback, error } = event;
      return ['error', { err: error }, `the callback '${callback}' failed`];
    }
  }
}

function peer({ id, endpoint, nodeId }: Remote): object {
  return nodeId === undefined ? { id, endpoint } : { id, endpoint, nodeId };
}

/**
 * Counters of messages that were lost or refused, or that a faulty peer sent. The others are not
 * logged. A new counter that an operator should notice belongs here, and in docs/observing.md.
 */
const ALARMS: ReadonlySet<TransportCounter> = new Set([
  'onewayLost',
  'onewayDropped',
  'refusedCall',
  'duplicateRequest',
  'unknownAnswer',
]);

// The interface of a logger, which `console`, pino, bunyan and winston implement.

/**
 * A logger. Each method takes the details, as an object, and a message: `logger.warn({ target },
 * 'text')`. A logger of winston, recognized by its method `startTimer`, gets one object instead, in
 * which `message` is the text.
 */
export interface Logger {
  debug(details: object, text: string): void;
  info(details: object, text: string): void;
  warn(details: object, text: string): void;
  error(details: object, text: string): void;
}
