// The limit within a process: a slot for each call, and one microtask that answers all calls made
// before it runs.

import { answer } from '../messages.ts';
import { type Adapters, inOneProcess } from './adapter.ts';
import { Calls, type Wire } from './limit.ts';
import type { Received } from './limit-frames.ts';

export const adapters: Adapters = {
  'limit-inproc': inOneProcess(async () => {
    const calls = new Calls(open, queueMicrotask);
    return { call: (request) => calls.call(request), close: async () => {} };
  }),
};

function open(received: Received): Wire {
  let ids: number[] = [];
  let requests: Uint8Array[] = [];
  return {
    put(id, request) {
      ids.push(id);
      requests.push(request);
    },
    flush() {
      const [sentIds, sent] = [ids, requests];
      ids = [];
      requests = [];
      for (let at = 0; at < sent.length; at++) received(sentIds[at]!, answer(sent[at]!));
    },
  };
}
