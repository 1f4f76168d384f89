// Offers one transport of a page to the test, which tells it what to call.

import { serve, type Transport, type TransportError } from '@trunkline/transport-core';
import type { LinePage, lines } from '../lines.ts';

/**
 * Serves the protocol of these tests, and makes the functions of `LinePage` globals of the page.
 */
export function offerLines(transport: Transport<typeof lines>): void {
  serve(transport, { echo: (request) => request, wait: () => new Promise(() => {}) });
  const offered: LinePage = {
    async call(target, method, timeout) {
      try {
        await transport.send(target, method, new Uint8Array(3), { timeout });
        return { code: 'ok' };
      } catch (error) {
        const { code, reason, sent } = error as TransportError;
        return { code, reason, sent };
      }
    },
    hold: (target) => void transport.hold(target),
    async refused(target) {
      const events = transport.connections();
      transport.hold(target);
      for (;;) {
        const { value } = await events.next();
        if (value.type !== 'failed') continue;
        const { error, retryIn } = value;
        return { code: error.code, reason: error.reason, sent: error.sent, retryIn };
      }
    },
    async disconnected() {
      const events = transport.connections();
      while (transport.remotes().length > 0) await events.next();
    },
  };
  Object.assign(globalThis, offered);
}
