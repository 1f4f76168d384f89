// The functions that Node offers to a page, so that suites in the page have a layer that listens.

import type { ErrorCode, ErrorReason } from '@trunkline/transport-core';
import type { SignalMessage } from '@trunkline/transport-webrtc';

/** The address of a layer; each part may be left out. */
export interface Place {
  readonly bindAddr?: string | undefined;
  readonly advertiseAddr?: string | undefined;
}

/** A TransportError as plain data. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly reason?: ErrorReason | undefined;
  readonly target?: string | undefined;
}

/** The result of `listen`: the address, or the error. */
export type Listened = { readonly address: string } | { readonly error: PlainError };

/** Layers are numbered by the page. */
export interface NodeCalls {
  listen(layer: number, place: Place): Promise<Listened>;
  /**
   * Resolves with the ticket of the next accepted connection, or with undefined once the layer is
   * closed. The page dials `bridge` and sends the ticket first, in 4 bytes; from then on that
   * connection is the accepted one.
   */
  accept(layer: number): Promise<number | undefined>;
  close(layer: number): Promise<void>;
  /** Returns the address of the bridge. */
  bridge(): Promise<string>;
}

/** The result of `openSession`: the number of the session, or the error. */
export type Opened = { readonly session: number } | { readonly error: PlainError };

/** A report of a signaling session. */
export type SignalReport =
  | { readonly message: SignalMessage }
  | { readonly closed: true; readonly error?: PlainError | undefined };

/** Signaling in Node's memory, as a page uses it. */
export interface SignalCalls {
  openSession(target: string): Promise<Opened>;
  sendSignal(session: number, message: SignalMessage): Promise<void>;
  /** Resolves with the next report; `closed` is the last one. */
  nextSignal(session: number): Promise<SignalReport>;
  closeSession(session: number, error?: PlainError): Promise<void>;
}
