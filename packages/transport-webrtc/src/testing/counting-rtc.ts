// node-datachannel with a count of the peer connections that were created and not closed.

import { loadRtc } from '../node-rtc.ts';
import type { RtcLibrary } from '../rtc.ts';

export interface CountingRtc extends RtcLibrary {
  readonly created: () => number;
  readonly open: () => number;
}

export async function createCountingRtc(): Promise<CountingRtc> {
  const { RTCPeerConnection, holdsMessages } = await loadRtc();
  const open = new Set<Counted>();
  let created = 0;
  class Counted extends RTCPeerConnection {
    constructor(configuration: unknown) {
      super(configuration);
      created++;
      open.add(this);
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
  };
}
