// The client's half of resumption: a download that continues on another connection when its own is
// lost.

import type { ItemOf, Protocol, RequestInput, Transport } from '@trunkline/transport-core';
import { type DownloadName, downloadOf } from './download.ts';
import { parseResumeOptions, type ResumeOptions } from './resume-options.ts';
import { ResumedStream } from './resumed-stream.ts';

/**
 * Calls a download whose handler is `resumable`. Returns its items, each exactly once and in order,
 * even if connections are lost in the meantime. Resolves once the request has been sent, as `send`
 * does. Leaving the loop cancels the call.
 *
 * If the stream cannot be continued, its iterator throws a TransportError, and
 * `resumptionFailure(error)` returns the reason: `gap`, `unknown`, `replaced`, `full` or
 * `unsupported`. Errors of the handler arrive unchanged. If the server can no longer be reached,
 * the error of the last attempt is thrown.
 *
 * `target` must be an address of one node, not a name for several nodes, because only the node that
 * served the first call keeps the stream.
 *
 * Rejects with a TypeError for a method that is not a download, and for invalid options.
 */
export async function resume<P extends Protocol, N extends DownloadName<P>>(
  transport: Pick<Transport<P>, 'send' | 'protocol' | 'clock' | 'random'>,
  target: string,
  method: N,
  request: RequestInput<P, N>,
  options: ResumeOptions = {},
): Promise<AsyncIterator<ItemOf<P, N>, undefined> & AsyncIterableIterator<ItemOf<P, N>>> {
  downloadOf(transport.protocol, method, 'resume');
  if (typeof target !== 'string')
    throw new TypeError(
      "resume: the target must be an address: a Remote can't be dialed again when it is gone",
    );
  const { clock, random } = transport;
  const { send } = transport as Pick<Transport, 'send'>;
  const stream = new ResumedStream<ItemOf<P, N>>(
    { clock, random, name: `${transport.protocol.name}/${method}`, target },
    (attempt) => send.call(transport, target, method, request, attempt as never) as never,
    parseResumeOptions(options),
  );
  await stream.open();
  return stream;
}
