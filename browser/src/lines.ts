// The protocol between the page and the server of the tests of lost connections.

import { bytes, defineProtocol } from '@trunkline/transport-core';

/** `echo` answers at once; `wait` never answers. */
export const lines = defineProtocol({
  name: 'lines',
  version: 1,
  channel: 0x20,
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    wait: { id: 2, request: bytes, response: bytes },
  },
});

/** Keep-alive that finds a dead connection in under a second. */
export const QUICK = { interval: 400, timeout: 400 };
/** The end of a call, as plain data. */
export interface CallEnd {
  readonly code: string;
  readonly reason?: string | undefined;
  readonly sent?: boolean | undefined;
}

/** The functions that the page of these tests offers to Node as globals. */
export interface LinePage {
  /** Calls a method; the code of a call that succeeds is 'ok'. */
  call(target: string, method: 'echo' | 'wait', timeout: number): Promise<CallEnd>;
  hold(target: string): void;
  /** Holds a target; resolves with the first dial that fails, and when the next one is due. */
  refused(target: string): Promise<CallEnd & { readonly retryIn: number | undefined }>;
  /** Resolves as soon as no connection is up. */
  disconnected(): Promise<void>;
}
