// The WebRTC stream layer: dials and listens through signaling, in browsers and in Node.

import type { NodeIdFilter, PeerListsUpdate } from '@trunkline/security';
import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  type HandshakeSlot,
  inMs,
  type ListenOptions,
  PendingDials,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { loadRtc } from '#rtc';
import { ChannelConnection } from './channel-connection.ts';
import { type Handshake, Handshakes } from './handshakes.ts';
import { Negotiation } from './negotiation.ts';
import type { OpenChannel } from './open-channel.ts';
import type { RtcLibrary } from './rtc.ts';
import type { SignalSession } from './signal.ts';
import { parseAddress } from './webrtc-address.ts';
import type { WebRtcBackendOptions, WebRtcStreamLayerOptions } from './webrtc-options.ts';

type Accept = (connection: StreamConnection, slot?: HandshakeSlot) => void;

/** A stream layer over WebRTC. */
export interface WebRtcStreamLayer extends StreamLayer {
  /**
   * Replaces the lists of this layer and of the relay immediately. Live connections to nodes that
   * are no longer wanted are aborted with `denied` at both ends. Throws a TypeError that names the
   * flaw if a list is invalid, and `failed_precondition` without an `identity`.
   */
  updatePeers(lists: PeerListsUpdate): void;
}

export class WebRtcLayer implements WebRtcStreamLayer {
  readonly clock: Clock;
  readonly #options: WebRtcStreamLayerOptions;
  readonly #peers: NodeIdFilter;
  #listening: 'no' | 'starting' | 'yes' = 'no';
  #hasDialed = false;
  readonly #dials: PendingDials;
  /** The functions that end the pending handshakes with a given error, one for each. */
  readonly #pending = new Set<(error: TransportError) => void>();
  readonly #handshakes: Handshakes;

  /** @param options must be valid; `webrtc.ts` checks them. */
  constructor(options: WebRtcStreamLayerOptions, peers: NodeIdFilter) {
    this.#options = options;
    this.#peers = peers;
    this.clock = options.clock ?? systemClock;
    this.#dials = new PendingDials(this.clock);
    this.#handshakes = new Handshakes(this.clock);
  }

  get nodeId(): string | undefined {
    return this.#options.identity?.nodeId;
  }

  async listen(
    accept: Accept,
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    const { signal } = this.#options;
    if (this.#listening !== 'no')
      throw new TransportError(
        'failed_precondition',
        `Already listening at ${this.#ownAddress}: close() first`,
      );
    this.#listening = 'starting';
    signal.ref?.(true);
    try {
      await signal.listen(
        (session) => this.#meet(session, accept, options),
        (error) => {
          if (this.#listening === 'yes') signal.ref?.(false);
          this.#listening = 'no';
          failed?.(error);
        },
      );
      // TypeScript doesn't see that close() may have run in the meantime.
      if ((this.#listening as string) === 'no') {
        await signal.unlisten();
        throw new TransportError('shutdown', 'Listening was cancelled: the layer was closed');
      }
    } catch (error) {
      this.#listening = 'no';
      signal.ref?.(false);
      throw error;
    }
    this.#listening = 'yes';
  }

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    const target = parseAddress(address, 'dial');
    const { timeout, signal, nodeId = target } = options;
    signal?.throwIfAborted();
    const deadline = this.clock.now() + timeout;
    if (!this.#hasDialed) this.#options.signal.ref?.(true);
    this.#hasDialed = true;
    let negotiation: Negotiation | undefined;
    return this.#dials.open(
      address,
      options,
      ({ connected, failed, wanted }) => {
        const cancel = new AbortController();
        const fail = (error: unknown) =>
          failed(error instanceof TransportError ? cannotConnect(address, error) : error);
        this.#openSession(target, timeout, cancel.signal).then(([session, rtc]) => {
          if (!wanted())
            return session.close(new TransportError('cancelled', 'the dialer gave up'));
          negotiation = new Negotiation({
            ...this.#negotiationOptions(),
            role: 'offerer',
            session,
            deadline,
            done: (open) => connected(this.#connection(open, nodeId)),
            failed: fail,
          });
          negotiation.begin(rtc);
        }, fail);
        return (reason) => {
          cancel.abort(reason);
          negotiation?.abandon(new TransportError('cancelled', 'the dialer gave up'));
        };
      },
      (limit) => `not connected ${limit}, while ${negotiation?.step ?? 'waiting for signaling'}`,
    );
  }

  /**
   * Opens a session. Resolves once signaling has answered; before that, no peer connection exists.
   */
  async #openSession(
    target: string,
    timeout: number,
    signal: AbortSignal,
  ): Promise<[SignalSession, RtcLibrary]> {
    const rtc = await this.#library();
    signal.throwIfAborted();
    return [await this.#options.signal.open(target, { timeout, signal }), rtc];
  }

  /**
   * Handles a session that another node opened: asks the limiter for a handshake slot, waits for
   * its turn, and hands the connection over once it is open.
   */
  #meet(session: SignalSession, accept: Accept, options: ListenOptions | undefined): void {
    const { handshakes, timeout = HANDSHAKE_TIMEOUT } = options ?? {};
    if (this.#listening === 'no')
      return session.close(new TransportError('unavailable', 'the node has stopped listening'));
    const source = session.source && `webrtc:${session.source}`;
    let begin: (() => void) | undefined;
    const handshake: Handshake = {
      source,
      isRunning: handshakes === undefined,
      movedAt: this.clock.now(),
      giveWay: () => giveUp(crowded()),
    };
    const acquire = () =>
      handshakes?.acquire(
        `webrtc://${session.peer}`,
        () => {
          handshake.isRunning = true;
          this.#handshakes.moved(handshake);
          begin?.();
        },
        source,
      );
    const slot = acquire() ?? (this.#handshakes.makeRoom(source) ? acquire() : undefined);
    if (slot === undefined && handshakes !== undefined) return session.close(crowded());
    this.#handshakes.add(handshake);
    const settle = () => {
      this.clock.clearTimeout(timer);
      this.#pending.delete(giveUp);
      this.#handshakes.remove(handshake);
    };
    const giveUp = (error: TransportError) => {
      settle();
      negotiation.abandon(error);
      slot?.leave(error.code === 'shutdown' ? undefined : error);
    };
    const deadline = (slot?.since ?? this.clock.now()) + timeout;
    const timer = this.clock.setTimeout(
      () =>
        giveUp(
          reasonError(
            'handshake_timeout',
            `Connection with webrtc://${session.peer}: not open within ${inMs(timeout)} (handshakeTimeout), while ${negotiation.step}`,
            { target: `webrtc://${session.peer}` },
          ),
        ),
      Math.max(1, deadline - this.clock.now()),
    );
    this.#pending.add(giveUp);
    const negotiation = new Negotiation({
      ...this.#negotiationOptions(),
      role: 'answerer',
      session,
      deadline,
      moved: () => this.#handshakes.moved(handshake),
      done: (open) => {
        settle();
        accept(this.#connection(open, undefined), slot);
      },
      failed: (error) => {
        settle();
        slot?.leave(error);
      },
    });
    begin = () =>
      this.#library().then(
        (rtc) => negotiation.begin(rtc),
        (error) => giveUp(error),
      );
    if (handshake.isRunning) begin();
    else this.#handshakes.makeRoom(source);
  }

  /** @param dialed the node that the dialer wants to reach. */
  #connection(open: OpenChannel, dialed: string | undefined): ChannelConnection {
    const peers = this.#peers;
    const { nodeId } = open;
    if (nodeId === undefined) return new ChannelConnection(open, this.clock);
    let watched: ChannelConnection | undefined;
    let isReleased = false;
    const release = () => {
      isReleased = true;
      if (watched !== undefined) peers.forget(watched);
      open.release();
    };
    const connection = new ChannelConnection({ ...open, release }, this.clock);
    connection.refused = peers.judge(nodeId, dialed);
    if (connection.refused !== undefined || isReleased) return connection;
    watched = connection;
    peers.watch(connection, dialed);
    return connection;
  }

  updatePeers(lists: PeerListsUpdate): void {
    updatePeers(this.#options, this.#peers, lists);
  }

  #negotiationOptions() {
    const { signal, identity, iceServers, iceTransportPolicy } = this.#options;
    return {
      identity,
      trickle: signal.trickle !== false,
      configuration: {
        iceServers: (iceServers ?? []).map((server) => ({ ...server })),
        iceTransportPolicy: iceTransportPolicy ?? 'all',
      },
      clock: this.clock,
    };
  }

  async #library(): Promise<RtcLibrary> {
    return this.#options.rtc ?? (await loadRtc());
  }

  checkAddress(address: string): void {
    parseAddress(address, 'dial');
  }

  get #ownAddress(): string {
    return `webrtc://${this.#options.signal.nodeId}`;
  }

  localAddr(): string {
    if (this.#listening === 'yes') return this.#ownAddress;
    throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
  }

  advertiseAddr(): string {
    return this.#options.advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    this.#dials.close();
    for (const end of [...this.#pending])
      end(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    const { signal } = this.#options;
    const wasListening = this.#listening === 'yes';
    this.#listening = 'no';
    if (this.#hasDialed) signal.ref?.(false);
    this.#hasDialed = false;
    if (wasListening) await signal.unlisten().finally(() => signal.ref?.(false));
  }
}

/** Replaces the lists of a layer or a backend with these options. */
export function updatePeers(
  { identity, signal }: WebRtcBackendOptions,
  peers: NodeIdFilter,
  lists: PeerListsUpdate,
): void {
  if (identity === undefined)
    throw new TransportError(
      'failed_precondition',
      "Cannot update the lists of nodes: without the option 'identity', no node proves its id",
    );
  peers.update(lists);
  signal.relay?.updatePeers(lists);
}

function crowded(): TransportError {
  return reasonError(
    'full',
    'the node has too many handshakes under way (limits.handshakes): try again later',
  );
}

function cannotConnect(address: string, error: TransportError): TransportError {
  const { code, message, reason, cause, origin } = error;
  const text = message.startsWith('Cannot ') ? message.replace(/^Cannot [^:]*: /, '') : message;
  return new TransportError(code, `Cannot connect to ${address}: ${text}`, {
    reason,
    target: address,
    cause,
    origin,
  });
}

/**
 * The default handshake timeout, in milliseconds, if the transport sets none
 * (docs/wire-protocol.md).
 */
const HANDSHAKE_TIMEOUT = 5_000;
