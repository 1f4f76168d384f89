// node-datachannel with a count of the peer connections that were created and not closed, and of
// the candidates that each of them was given.

import { loadRtc } from '../node-rtc.ts';
import type { RtcLibrary } from '../rtc.ts';

export interface CountingRtc extends RtcLibrary {
  readonly created: () => number;
  readonly open: () => number;
  /** Returns the largest number of candidates that one peer connection was given. */
  readonly candidates: () => number;
}

export async function createCountingRtc(): Promise<CountingRtc> {
  const { RTCPeerConnection, holdsMessages } = await loadRtc();
  const open = new Set<Counted>();
  let created = 0;
  let mostCandidates = 0;
  class Counted extends RTCPeerConnection {
    #candidates = 0;
    constructor(configuration: unknown) {
      super(configuration);
      created++;
      open.add(this);
    }
    override addIceCandidate(candidate: unknown): Promise<unknown> {
      mostCandidates = Math.max(mostCandidates, ++this.#candidates);
      return super.addIceCandidate(candidate);
    }
    override close(): unknown {
      open.delete(this);
      return super.close();
    }
  }
  return {
    RTCPeerConnection: Counted,
    holdsMessages,
    created: () => created,
    open: () => open.size,
    candidates: () => mostCandidates,
  };
}
