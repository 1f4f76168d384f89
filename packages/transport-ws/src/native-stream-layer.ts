// A stream layer over the browser's WebSocket, which can only dial.

import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  PendingDials,
  reasonError,
  type StreamConnection,
} from '@trunkline/transport-core/backend';
import { closeError, SUB_PROTOCOL } from './close-codes.ts';
import { NativeConnection } from './native-connection.ts';
import type { NativeWebSocket, NativeWebSocketClass } from './native-web-socket.ts';
import { targetUrl } from './ws-address.ts';
import type { WsStreamLayer } from './ws-options.ts';

export interface NativeStreamLayerOptions {
  readonly advertiseAddr?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Default: the global WebSocket class. */
  readonly webSocket?: NativeWebSocketClass | undefined;
}

/**
 * Creates a StreamLayer that dials with the native WebSocket. `listen` fails with `unimplemented`:
 * others reach a page through the Remote of its own dial.
 */
export function createNativeStreamLayer(options: NativeStreamLayerOptions = {}): WsStreamLayer {
  return new NativeStreamLayer(options);
}

class NativeStreamLayer implements WsStreamLayer {
  readonly #options: NativeStreamLayerOptions;
  readonly #clock: Clock;
  readonly #dials: PendingDials;

  constructor(options: NativeStreamLayerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#dials = new PendingDials(this.#clock);
  }

  async listen(): Promise<void> {
    throw new TransportError(
      'unimplemented',
      'A browser cannot listen: dial a node, which calls this page back through the Remote of that connection (rpc.from)',
    );
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return this.#dials.open(address, options, ({ connected, failed }) => {
      const url = targetUrl(address);
      const WebSocket =
        this.#options.webSocket ?? (globalThis as { WebSocket?: NativeWebSocketClass }).WebSocket;
      if (WebSocket === undefined)
        throw new TransportError(
          'unimplemented',
          'This runtime has no WebSocket; in Node import @trunkline/transport-ws without the browser condition',
        );
      let webSocket: NativeWebSocket;
      try {
        webSocket = new WebSocket(url.href, SUB_PROTOCOL);
      } catch (cause) {
        // A browser forbids some ports, and ws:// to a page that came over HTTPS.
        const message = `Cannot connect to ${address}: ${cause}`;
        throw new TransportError('unavailable', message, { target: address, cause });
      }
      webSocket.binaryType = 'arraybuffer';
      webSocket.onerror = () => {};
      webSocket.onclose = ({ code, reason }) => failed(dialError(address, code, reason));
      webSocket.onopen = () => {
        // The handler would keep the options of the dial in memory as long as the connection.
        webSocket.onopen = null;
        if (webSocket.protocol === SUB_PROTOCOL)
          return connected(new NativeConnection(webSocket, url.host, this.#clock));
        const message = `Cannot connect to ${address}: the server does not speak ${SUB_PROTOCOL}`;
        failed(reasonError('wrong_version', message, { target: address }));
      };
      return () => {
        webSocket.onopen = webSocket.onclose = null;
        webSocket.close();
      };
    });
  }

  checkAddress(address: string): void {
    targetUrl(address);
  }

  localAddr(): string {
    throw new TransportError('failed_precondition', 'A browser has no address: it cannot listen');
  }

  advertiseAddr(): string {
    return this.#options.advertiseAddr ?? this.localAddr();
  }

  async updateTls(): Promise<void> {
    throw new TransportError(
      'failed_precondition',
      "updateTls: a page has no TLS of its own: the browser's authorities decide",
    );
  }

  async close(): Promise<void> {
    this.#dials.close();
  }
}

/**
 * Creates the error for a failed dial. Browsers hide the cause from pages: a refused connection, an
 * unknown host, a bad certificate, a wrong path and a wrong subprotocol all look alike.
 */
function dialError(address: string, code: number, reason: string): TransportError {
  const told = code === 1006 ? undefined : closeError(code, reason, address);
  const message = `Cannot connect to ${address}: the browser gives no reason; check that the node is running, that the address is right, that it speaks ${SUB_PROTOCOL}, and that this page may connect`;
  return told ?? new TransportError('unavailable', message, { target: address });
}
