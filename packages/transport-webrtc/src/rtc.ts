// The part of the W3C's WebRTC interface that this package uses, which browsers, node-datachannel
// and werift provide.

/** A WebRTC library: `globalThis` of a browser, 'node-datachannel/polyfill' or 'werift'. */
export interface RtcLibrary {
  readonly RTCPeerConnection: new (configuration: any) => RtcPeerConnection;
  /**
   * True if the library may hold a message back until the next one is sent, as node-datachannel
   * does. Each end then sends messages without effect after its last one; see `WakeUp`. Default:
   * false.
   */
  readonly holdsMessages?: boolean | undefined;
}

/** An `RTCPeerConnection`. */
export interface RtcPeerConnection {
  readonly connectionState: string;
  readonly iceConnectionState?: string;
  readonly iceGatheringState: string;
  readonly localDescription: { readonly type: string; readonly sdp: string } | null | undefined;
  /**
   * The SCTP transport. In werift it has a method `stop`, which notifies the other end that the
   * connection has ended.
   */
  readonly sctp?: object | null | undefined;
  onicecandidate: any;
  onconnectionstatechange: any;
  onicegatheringstatechange?: any;
  /** Creates a data channel on whose number both ends have agreed. */
  createDataChannel(
    label: string,
    options: { readonly negotiated: true; readonly id: number; readonly ordered: true },
  ): RtcDataChannel;
  createOffer(): Promise<any>;
  createAnswer(): Promise<any>;
  setLocalDescription(description: any): Promise<any>;
  setRemoteDescription(description: any): Promise<any>;
  addIceCandidate(candidate: any): Promise<any>;
  close(): unknown;
}

/** An SDP and its type. */
export type RtcDescription = NonNullable<RtcPeerConnection['localDescription']>;

/** Options of a data channel on whose number both ends have agreed. */
export type RtcChannelOptions = Parameters<RtcPeerConnection['createDataChannel']>[1];

/** An `RTCDataChannel`. */
export interface RtcDataChannel {
  binaryType: any;
  readonly readyState: string;
  /** False if messages may arrive out of order. */
  readonly ordered?: boolean | undefined;
  /** The number of retransmissions after which a message is abandoned; null: it never is. */
  readonly maxRetransmits?: number | null | undefined;
  /** The time after which a message is abandoned, in milliseconds; null if it never is. */
  readonly maxPacketLifeTime?: number | null | undefined;
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  addEventListener(type: string, listener: (event: any) => void): void;
  removeEventListener(type: string, listener: (event: any) => void): void;
  send(data: any): void;
  close(): void;
}

/** A server that helps to find a path: STUN or TURN. */
export interface RtcIceServer {
  /** 'stun:host:port', 'turn:host:port' or 'turns:host:port'. */
  readonly urls: string | readonly string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}
