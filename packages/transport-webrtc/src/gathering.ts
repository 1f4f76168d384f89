// Gathers the candidates of one end, for no longer than its dial can afford.

import type { Clock } from '@trunkline/transport-core';
import type { RtcDescription, RtcIceServer, RtcPeerConnection } from './rtc.ts';

/** Options of the gathering of one end. */
export interface GatheringOptions {
  /** False if all candidates have to be in the description. */
  readonly trickle: boolean;
  /** The configuration of the RTCPeerConnection. */
  readonly configuration: { readonly iceServers: readonly RtcIceServer[] };
  readonly clock: Clock;
  /** The time of the clock at which this end gives up. */
  readonly deadline: number;
}

/** The gathering of candidates for one peer connection. */
export class Gathering {
  readonly #options: GatheringOptions;
  /** The earlier deadline of the two ends, as far as they are known. */
  #deadline: number;
  /** Ends the wait for candidates. */
  #end: (() => void) | undefined;

  constructor(options: GatheringOptions) {
    this.#options = options;
    this.#deadline = options.deadline;
  }

  /** The time left until an end gives up, in milliseconds. */
  get timeLeft(): number {
    return Math.max(0, Math.round(this.#deadline - this.#options.clock.now()));
  }

  /** Takes the time after which the other end gives up, in milliseconds. */
  within(timeout: number): void {
    this.#deadline = Math.min(this.#deadline, this.#options.clock.now() + timeout);
  }

  /**
   * Sets this end's description and, unless this end trickles, waits for its candidates. werift
   * waits for them in any case. The wait ends after a third of the time left, because a server that
   * does not answer would use up the time of the dial; the candidates found by then are sent.
   */
  async describe(peer: RtcPeerConnection, description: RtcDescription): Promise<void> {
    const { clock, trickle } = this.#options;
    const gathered = new Promise<void>((resolve) => {
      const timer = clock.setTimeout(() => this.end(), Math.min(LONGEST, this.timeLeft / 3));
      this.#end = () => {
        clock.clearTimeout(timer);
        resolve();
      };
    });
    const set = peer.setLocalDescription(description).then(() => {
      if (trickle || peer.iceGatheringState === 'complete') this.end();
      return gathered;
    });
    await Promise.race([set, gathered]);
    if (!peer.localDescription) await set;
  }

  /** Ends the wait: there are no more candidates, or nobody needs them. Idempotent. */
  end(): void {
    this.#end?.();
  }

  /**
   * Names the servers from which no candidate has come, for the text of an error. Without a NAT, a
   * STUN server that has answered adds no candidate, so it is named only while gathering goes on.
   */
  missing({ iceGatheringState, localDescription }: RtcPeerConnection): string {
    const sdp = localDescription?.sdp ?? '';
    const missing = this.#options.configuration.iceServers
      .flatMap(({ urls }) => urls)
      .filter((url) =>
        /^turn/i.test(url)
          ? !sdp.includes(' typ relay')
          : iceGatheringState !== 'complete' && !sdp.includes(' typ srflx'),
      );
    if (missing.length === 0) return '';
    return `; gathering got no candidate from ${missing.join(', ')} (iceServers)`;
  }
}

/** The time limit for gathering, in milliseconds. */
const LONGEST = 2_000;
