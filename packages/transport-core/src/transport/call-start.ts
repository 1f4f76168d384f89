// Checks the targets and options of outgoing calls, and starts calls on the connection of a Remote.

import { refuseUnknown } from '../config.ts';
import { reasonError, TransportError, withDetails } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Call, OwnOptions } from '../rpc/call.ts';
import { Connection } from '../stream/connection.ts';
import { LiveRemote } from '../stream/remote.ts';
import { fieldsOf } from '../text.ts';
import type { TransportEngine } from './engine.ts';
import type { Target } from './types.ts';

/**
 * Returns the connection behind a Remote.
 *
 * @throws TypeError if it does not belong to this transport.
 */
export function connectionOf(engine: TransportEngine, target: Target): Connection {
  const link =
    typeof target === 'object' && target !== null ? LiveRemote.linkOf(target) : undefined;
  if (link instanceof Connection && link.host === engine) return link;
  const what =
    link === undefined
      ? typeof target === 'object'
        ? 'another object'
        : String(target)
      : 'a Remote of another transport';
  throw new TypeError(`a target is an address, or a Remote of this transport; got ${what}`);
}

export function nameOf(target: Target): string {
  return typeof target === 'string' ? target : (target?.endpoint ?? String(target));
}

/** Adds `sent: false` and the target to the error of a call that could not be started. */
export function unsent(error: unknown, target: Target): unknown {
  return error instanceof TransportError
    ? withDetails(error, { sent: false, target: nameOf(target) })
    : error;
}

export function startOn(remote: Connection, call: Call<unknown>): void {
  if (remote.isUp) remote.caller.start(call);
  else call.failed(lost(call.target));
}

export function lost(endpoint: string): TransportError {
  return reasonError(
    'disconnected',
    `the connection to ${endpoint} is gone; a Remote can be reached only over its own connection`,
    {
      target: endpoint,
      sent: false,
    },
  );
}

/**
 * Checks the options of a call, and returns them with `metadata` as an object.
 *
 * @throws TypeError for an unknown or invalid option, and `cancelled` for an aborted signal.
 */
export function checkOptions(method: ProtocolMethod, options: OwnOptions): OwnOptions {
  refuseUnknown(options, 'send', CALL_OPTIONS);
  const { timeout, signal, metadata, upload } = options;
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
    throw new TypeError(
      `send: timeout must be milliseconds above 0, or Infinity, got ${String(timeout)}`,
    );
  checkUpload(method, upload);
  if (signal?.aborted === true) {
    throw new TransportError(
      'cancelled',
      `${method.full}: its signal was aborted before it was sent`,
      { cause: signal.reason },
    );
  }
  if (metadata === undefined) return options;
  const fields = fieldsOf(metadata, 'send: metadata');
  return fields === metadata ? options : { ...options, metadata: fields };
}

const CALL_OPTIONS = ['timeout', 'signal', 'metadata', 'upload'] as const;

function checkUpload(method: ProtocolMethod, upload: unknown): void {
  if (method.upload === undefined) {
    if (upload !== undefined)
      throw new TypeError(`send: '${method.full}' has no upload, but was given one`);
  } else if (typeof upload !== 'object' || upload === null || !(Symbol.asyncIterator in upload)) {
    throw new TypeError(`send: '${method.full}' needs an upload: an AsyncIterable of items`);
  }
}
