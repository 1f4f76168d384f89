// A WebRTC library in memory. Its connections stop at the step that a test chooses.

import type { RtcDataChannel, RtcDescription, RtcLibrary, RtcPeerConnection } from '../rtc.ts';

/** The step that is not completed. */
export type Step = 'ice' | 'dtls' | 'channel' | 'hello';

export interface FakeRtc extends RtcLibrary {
  /** The step at which connections stop; undefined lets them open. */
  stopsAt: Step | undefined;
  /** Keeps the first message of each end until it sends another. */
  holdsMessages: boolean;
  /** Makes the channels throw on `send`, as if they were closed as soon as they open. */
  throwsOnSend: boolean;
  /** Keeps new peer connections gathering for ever, as with servers that do not answer. */
  gathersForever: boolean;
  /** The number of peer connections that are gathering. */
  readonly gathering: () => number;
  /** Returns true once a connection has stopped at that step. */
  readonly hasStopped: () => boolean;
  /** The number of peer connections that are not closed. */
  readonly open: () => number;
}

export function createFakeRtc(stopsAt?: Step): FakeRtc {
  const peers: FakePeer[] = [];
  const open = new Set<FakePeer>();
  let hasStopped = false;

  class FakePeer implements RtcPeerConnection {
    connectionState = 'new';
    iceConnectionState = 'new';
    iceGatheringState = 'complete';
    localDescription: RtcDescription | null = null;
    onicecandidate: any = null;
    onconnectionstatechange: any = null;
    readonly channel = new FakeChannel();
    readonly #sdp: string;

    constructor() {
      const pair = peers.length.toString(16).padStart(2, '0');
      this.#sdp = `v=0\r\na=fingerprint:sha-256 ${Array(32).fill(pair).join(':')}\r\n`;
      peers.push(this);
      open.add(this);
    }

    createDataChannel(): RtcDataChannel {
      return this.channel;
    }

    async createOffer(): Promise<RtcDescription> {
      return { type: 'offer', sdp: this.#sdp };
    }

    async createAnswer(): Promise<RtcDescription> {
      return { type: 'answer', sdp: this.#sdp };
    }

    async setLocalDescription(description: RtcDescription): Promise<void> {
      this.localDescription = description;
      if (rtc.gathersForever) this.iceGatheringState = 'gathering';
    }

    async setRemoteDescription({ type, sdp }: RtcDescription): Promise<void> {
      const other = peers[Number.parseInt(/sha-256 (..)/.exec(sdp)![1]!, 16)]!;
      if (type === 'answer') queueMicrotask(() => connect([this, other]));
    }

    async addIceCandidate(): Promise<void> {}

    /** Closes this end without notifying the other end, as can happen on a network. */
    close(): void {
      open.delete(this);
      this.channel.readyState = 'closed';
    }
  }

  function connect(ends: readonly [FakePeer, FakePeer]): void {
    const [one, two] = ends;
    if (isStop('ice')) return;
    for (const end of ends) end.iceConnectionState = 'connected';
    if (isStop('dtls')) return;
    for (const end of ends) {
      end.connectionState = 'connected';
      end.onconnectionstatechange?.();
    }
    if (isStop('channel')) return;
    one.channel.isMute = two.channel.isMute = isStop('hello');
    one.channel.keepsNext = two.channel.keepsNext = rtc.holdsMessages;
    one.channel.throwsOnSend = two.channel.throwsOnSend = rtc.throwsOnSend;
    join(one.channel, two.channel);
  }

  const isStop = (step: Step): boolean => {
    const isHere = step === rtc.stopsAt;
    hasStopped ||= isHere;
    return isHere;
  };
  const rtc: FakeRtc = {
    RTCPeerConnection: FakePeer,
    stopsAt,
    holdsMessages: false,
    throwsOnSend: false,
    gathersForever: false,
    gathering: () => peers.filter((peer) => peer.iceGatheringState === 'gathering').length,
    hasStopped: () => hasStopped,
    open: () => open.size,
  };
  return rtc;
}

/** Returns the two ends of an open channel. */
export function createFakeChannels(): [FakeChannel, FakeChannel] {
  const ends: [FakeChannel, FakeChannel] = [new FakeChannel(), new FakeChannel()];
  join(...ends);
  return ends;
}

class FakeChannel extends EventTarget implements RtcDataChannel {
  binaryType: unknown = 'blob';
  readyState = 'connecting';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  /** True to drop the messages that this end sends. */
  isMute = false;
  /** True to make `send` throw, as node-datachannel does once it knows that the channel closed. */
  throwsOnSend = false;
  /** Keeps the next message of this end until it sends another. */
  keepsNext = false;
  readonly #kept: unknown[] = [];
  other: FakeChannel | undefined;

  send(data: Uint8Array | string): void {
    const message = typeof data === 'string' ? data : data.slice().buffer;
    if (this.throwsOnSend) throw new Error('DataChannel is closed');
    if (this.isMute) return;
    this.#kept.push(message);
    if (this.keepsNext) this.keepsNext = false;
    else
      for (const each of this.#kept.splice(0))
        queueMicrotask(() =>
          this.other?.dispatchEvent(Object.assign(new Event('message'), { data: each })),
        );
  }

  close(): void {
    for (const end of [this, this.other]) {
      if (end === undefined || end.readyState === 'closed') continue;
      end.readyState = 'closed';
      queueMicrotask(() => end.dispatchEvent(new Event('close')));
    }
  }
}

/** Opens both ends; messages travel in later microtasks, so neither end has sent a message yet. */
function join(one: FakeChannel, two: FakeChannel): void {
  one.other = two;
  two.other = one;
  for (const end of [one, two]) end.readyState = 'open';
  for (const end of [one, two]) end.dispatchEvent(new Event('open'));
}
