// node-datachannel with a count of the peer connections that were created and not closed.

import { loadRtc } from '../node-rtc.ts';
import type { RtcChannelOptions, RtcDataChannel, RtcLibrary } from '../rtc.ts';

export interface CountingRtc extends RtcLibrary {
  readonly created: () => number;
  readonly open: () => number;
  /** Returns true while a peer connection knows its other end and has no open channel yet. */
  readonly isConnecting: () => boolean;
}

export async function createCountingRtc(): Promise<CountingRtc> {
  const { RTCPeerConnection } = await loadRtc();
  const open = new Set<Counted>();
  let created = 0;
  class Counted extends RTCPeerConnection {
    declare readonly signalingState: string;
    channel: RtcDataChannel | undefined;
    constructor(configuration: unknown) {
      super(configuration);
      created++;
      open.add(this);
    }
    override createDataChannel(label: string, options: RtcChannelOptions): RtcDataChannel {
      this.channel = super.createDataChannel(label, options);
      return this.channel;
    }
    override close(): unknown {
      open.delete(this);
      return super.close();
    }
  }
  return {
    RTCPeerConnection: Counted,
    created: () => created,
    open: () => open.size,
    isConnecting: () =>
      [...open].some(
        ({ signalingState, channel }) =>
          signalingState === 'stable' && (channel?.readyState ?? 'connecting') === 'connecting',
      ),
  };
}
