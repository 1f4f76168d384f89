// Makes one WebRTC connection: exchanges offer, answer and candidates over a session of signaling,
// opens the channel and exchanges hellos. Implements both roles.

import type { Identity } from '@trunkline/security';
import { TransportError } from '@trunkline/transport-core';
import { cleanText, isNodeId, reasonError } from '@trunkline/transport-core/backend';
import { CandidateExchange } from './candidate-exchange.ts';
import { Gathering, type GatheringOptions } from './gathering.ts';
import { encodeHello, type Fingerprints, type Role, readHello } from './hello.ts';
import {
  type ChannelUser,
  LEAST_MESSAGE,
  LONGEST_MESSAGE,
  type OpenChannel,
} from './open-channel.ts';
import { closePeer, createPeer } from './peer.ts';
import type { RtcDataChannel, RtcDescription, RtcLibrary, RtcPeerConnection } from './rtc.ts';
import {
  candidatesOf,
  fingerprintOf,
  maxMessageOf,
  withoutCandidates,
} from './session-description.ts';
import type { SignalSession } from './signal.ts';
import { parseSignalMessage } from './signal-message.ts';
import { WakeUp } from './wake-up.ts';

/** Options of one negotiation. */
export interface NegotiationOptions extends GatheringOptions {
  readonly role: Role;
  readonly session: SignalSession;
  /** Set if both ends have to prove their node ids. */
  readonly identity: Identity | undefined;
  /**
   * Called when a description was sent, the offer has arrived, the peers are connected, or the
   * channel has opened.
   */
  moved?(): void;
  /**
   * Called once the channel is ready. Call `handOver` before you return: messages that arrive until
   * then are kept without a bound.
   */
  done(open: OpenChannel): void;
  /** Called when the negotiation has failed and all its resources have been released. */
  failed(error: TransportError): void;
}

/** The negotiation of one connection; it attaches to its session immediately. */
export class Negotiation {
  readonly #options: NegotiationOptions;
  readonly #endpoint: string;
  readonly #candidates: CandidateExchange;
  #rtc: RtcLibrary | undefined;
  #peer: RtcPeerConnection | undefined;
  #channel: RtcDataChannel | undefined;
  /** The offer that arrived before `begin`. */
  #offer: string | undefined;
  #remoteSdp: string | undefined;
  #isRemoteSet = false;
  #isDescriptionSent = false;
  #fingerprints: Fingerprints | undefined;
  #nodeId: string | undefined;
  #helloSent = false;
  /** Set once the hello is sent, if the library needs it. */
  #wakeUp: WakeUp | undefined;
  #isDone = false;
  #isOver = false;
  #user: ChannelUser | undefined;
  /** Messages that arrived after the hello and before `handOver`. */
  readonly #messages: unknown[] = [];
  #isGone = false;
  readonly #gathering: Gathering;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#endpoint = `webrtc://${options.session.peer}`;
    this.#gathering = new Gathering(options);
    this.#candidates = new CandidateExchange(options.session, options.trickle, options.clock);
    options.session.attach({
      message: (message) => this.#signaled(message),
      closed: (error) => this.#sessionClosed(error),
    });
  }

  /** The step that is under way, for the error when the deadline passes. */
  get step(): string {
    if (this.#peer === undefined)
      return this.#rtc === undefined ? 'waiting to begin' : 'waiting for the offer';
    if (!this.#isRemoteSet) return `waiting for the answer${this.#gathering.missing(this.#peer)}`;
    if (this.#channel?.readyState === 'open') return 'waiting for the hello';
    const { connectionState, iceConnectionState = '' } = this.#peer;
    if (connectionState === 'connected') return 'opening the channel';
    if (/^(connected|completed)$/.test(iceConnectionState)) return 'encrypting the path (DTLS)';
    return `looking for a path (ICE)${this.#gathering.missing(this.#peer)}`;
  }

  /** Begins the negotiation with this library; call it once. */
  begin(rtc: RtcLibrary): void {
    if (this.#isOver) return;
    this.#rtc = rtc;
    if (this.#options.role === 'offerer') this.#run(() => this.#makeOffer());
    else if (this.#offer !== undefined) this.#run(() => this.#makeAnswer());
  }

  /** Ends the negotiation without calling `failed`; the other end receives the error. */
  abandon(error?: TransportError): void {
    if (this.#isOver || this.#isDone) return;
    this.#isOver = true;
    this.#options.session.close(error);
    this.#release();
  }

  #run(step: () => Promise<void>): void {
    step().catch((cause: unknown) =>
      this.#fail(
        cause instanceof TransportError
          ? cause
          : new TransportError('internal', `the WebRTC library failed: ${textOf(cause)}`, {
              cause,
            }),
      ),
    );
  }

  async #makeOffer(): Promise<void> {
    const peer = this.#createPeer();
    this.#createChannel(peer);
    await this.#describe(peer, await peer.createOffer());
    this.#sendDescription('offer', peer);
  }

  async #makeAnswer(): Promise<void> {
    const offer = this.#offer!;
    const peer = this.#createPeer();
    await this.#setRemote(peer, 'offer', offer);
    if (this.#isOver) return;
    // Added only now, because libraries that negotiate by themselves would make an offer of their
    // own.
    this.#createChannel(peer);
    await this.#describe(peer, await peer.createAnswer());
    this.#sendDescription('answer', peer);
    this.#greet();
  }

  #createPeer(): RtcPeerConnection {
    const peer = createPeer(this.#rtc!, this.#options.configuration, this.#options.role);
    this.#peer = peer;
    peer.onicecandidate = ({ candidate }: { candidate?: { candidate: string } | null }) =>
      candidate ? this.#candidates.found(candidate) : this.#gathering.end();
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === 'complete') this.#gathering.end();
    };
    peer.onconnectionstatechange = () => this.#stateChanged(peer.connectionState);
    return peer;
  }

  #createChannel(peer: RtcPeerConnection): void {
    const channel = peer.createDataChannel('trunkline', { negotiated: true, id: 0, ordered: true });
    channel.binaryType = 'arraybuffer';
    this.#channel = channel;
    channel.addEventListener('open', this.#onOpen);
    channel.addEventListener('message', this.#onMessage);
    channel.addEventListener('close', this.#onClose);
    channel.addEventListener('error', ignore);
    if (channel.readyState === 'open') this.#greet();
  }

  async #describe(peer: RtcPeerConnection, description: RtcDescription): Promise<void> {
    if (!this.#isOver) await this.#gathering.describe(peer, description);
  }

  #sendDescription(type: 'offer' | 'answer', peer: RtcPeerConnection): void {
    if (this.#isOver) return;
    const { sdp } = peer.localDescription!;
    if (sdp.length > MOST_SDP)
      throw new TransportError(
        'resource_exhausted',
        `its ${type} has ${sdp.length} characters, but signaling takes at most ${MOST_SDP}`,
      );
    const { trickle, session } = this.#options;
    session.send(
      type === 'answer'
        ? { type, sdp }
        : { type, sdp: trickle ? withoutCandidates(sdp) : sdp, timeout: this.#gathering.timeLeft },
    );
    this.#isDescriptionSent = true;
    this.#options.moved?.();
    this.#learnFingerprints();
    if (type === 'answer') this.#candidates.send();
    else for (const candidate of candidatesOf(sdp)) this.#candidates.found(candidate);
  }

  #signaled(value: unknown): void {
    if (this.#isOver || this.#isDone) return;
    const message = parseSignalMessage(value);
    if (message === undefined) return this.#fail(malformed('sent a malformed message'));
    if (message.type === 'candidate') return this.#candidates.receive(message);
    if (message.type !== (this.#options.role === 'offerer' ? 'answer' : 'offer'))
      return this.#fail(malformed(`sent an ${message.type}, which is not its turn`));
    if (this.#remoteSdp !== undefined || this.#offer !== undefined)
      return this.#fail(malformed(`sent a second ${message.type}`));
    if (message.type === 'answer') {
      const peer = this.#peer;
      if (peer === undefined || !this.#isDescriptionSent)
        return this.#fail(malformed('sent an answer before the offer'));
      this.#run(async () => {
        await this.#setRemote(peer, 'answer', message.sdp);
        this.#candidates.send();
        this.#greet();
      });
    } else {
      this.#offer = message.sdp;
      this.#options.moved?.();
      if (message.timeout !== undefined) this.#gathering.within(message.timeout);
      if (this.#rtc !== undefined) this.#run(() => this.#makeAnswer());
    }
  }

  async #setRemote(peer: RtcPeerConnection, type: 'offer' | 'answer', sdp: string): Promise<void> {
    this.#remoteSdp = sdp;
    if (maxMessageOf(sdp) < LEAST_MESSAGE) throw malformed('accepts only tiny messages');
    this.#learnFingerprints();
    try {
      // The candidates are sent after the description, so that none arrives before the library is
      // ready.
      await peer.setRemoteDescription({ type, sdp: withoutCandidates(sdp) });
    } catch (cause) {
      throw malformed(`sent an unusable ${type} (${textOf(cause)})`);
    }
    this.#isRemoteSet = true;
    this.#candidates.use(peer, type, sdp);
  }

  /** Throws if the other end's description does not have exactly one fingerprint. */
  #learnFingerprints(): void {
    const remote = this.#remoteSdp && fingerprintOf(this.#remoteSdp);
    const local = this.#isDescriptionSent && fingerprintOf(this.#peer!.localDescription!.sdp);
    if (!remote || !local) return;
    this.#fingerprints =
      this.#options.role === 'offerer'
        ? { offerer: local, answerer: remote }
        : { offerer: remote, answerer: local };
  }

  #sessionClosed(error: TransportError | undefined): void {
    if (this.#isOver || this.#isDone) return;
    if (error !== undefined) {
      const { code, reason, message } = error;
      return this.#fail(new TransportError(code, cleanText(message), { reason, origin: 'remote' }));
    }
    // Both ends close the session once they are connected, so one of them sees the other's close.
    if (this.#fingerprints !== undefined) return;
    this.#fail(reasonError('reset', 'the node ended the negotiation', { origin: 'remote' }));
  }

  readonly #onOpen = (): void => {
    this.#options.moved?.();
    this.#greet();
  };

  /**
   * Sends the hello, or as the answerer judges the offerer's first, so that a dial resolves only if
   * both ends agree.
   */
  #greet(): void {
    if (this.#isOver || this.#helloSent || this.#channel?.readyState !== 'open') return;
    if (this.#fingerprints === undefined) return;
    if (this.#options.role === 'offerer') this.#sendHello();
    else if (this.#messages.length > 0) this.#meet(this.#messages.shift());
  }

  /** Sends this end's hello; fails the negotiation if the channel has already closed. */
  #sendHello(): void {
    const { identity, role } = this.#options;
    this.#helloSent = true;
    try {
      this.#channel!.send(encodeHello(identity, role, this.#fingerprints!));
    } catch (cause) {
      return this.#fail(reasonError('reset', 'the channel closed', { cause }));
    }
    if (this.#rtc!.holdsMessages === true) this.#wakeUp = new WakeUp((text) => this.#wake(text));
    this.#wakeUp?.sent();
  }

  #wake(text: string): void {
    try {
      this.#channel!.send(text);
    } catch {} // The channel is closing and will report it soon.
  }

  readonly #onMessage = ({ data }: { data: unknown }): void => {
    if (this.#user !== undefined) return this.#user.message(data);
    if (this.#isDone) return void this.#messages.push(data);
    if (this.#isOver) return;
    if (this.#options.role === 'offerer' ? this.#helloSent : this.#channel?.readyState === 'open')
      if (this.#fingerprints !== undefined) return this.#meet(data);
    this.#messages.push(data);
    if (this.#messages.length > MOST_EARLY) this.#fail(malformed('sent data before its hello'));
  };

  /** Judges the other end's hello. */
  #meet(data: unknown): void {
    const { role, identity, session } = this.#options;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (!(bytes instanceof Uint8Array)) return this.#fail(malformed('sent no hello'));
    const hello = readHello(
      bytes,
      role === 'offerer' ? 'answerer' : 'offerer',
      this.#fingerprints!,
    );
    if ('flaw' in hello) return this.#fail(mismatch(hello.flaw));
    const { nodeId } = hello;
    if (nodeId === undefined && identity !== undefined)
      return this.#fail(mismatch('it proved no node id; give it an identity'));
    if (nodeId !== undefined && isNodeId(session.peer) && nodeId !== session.peer)
      return this.#fail(mismatch(`it is node ${nodeId}`));
    this.#nodeId = nodeId;
    if (role === 'answerer') this.#sendHello();
    if (this.#isOver) return;
    this.#isDone = true;
    session.close();
    this.#options.done(this.#opened());
  }

  #opened(): OpenChannel {
    return {
      channel: this.#channel!,
      endpoint: this.#endpoint,
      nodeId: this.#nodeId,
      maxMessage: Math.min(LONGEST_MESSAGE, maxMessageOf(this.#remoteSdp!)),
      handOver: (user) => {
        this.#user = user;
        for (const data of this.#messages.splice(0)) user.message(data);
        if (this.#isGone) user.gone('the channel closed');
      },
      release: () => this.#release(),
      sent: () => this.#wakeUp?.sent(),
    };
  }

  readonly #onClose = (): void => this.#gone('the other end closed the channel');

  #stateChanged(state: string): void {
    if (state === 'failed')
      this.#gone(
        `no path to the other end works (ICE or DTLS failed)${this.#gathering.missing(this.#peer!)}`,
      );
    else if (state === 'closed') this.#gone('the connection closed');
    else if (state === 'connected') this.#options.moved?.();
  }

  #gone(why: string): void {
    if (this.#isGone || this.#isOver) return;
    if (!this.#isDone) return this.#fail(new TransportError('unavailable', why));
    this.#isGone = true;
    this.#user?.gone(why);
  }

  #fail(error: TransportError): void {
    if (this.#isOver || this.#isDone) return;
    this.#isOver = true;
    this.#options.session.close(error);
    this.#release();
    this.#options.failed(error);
  }

  #release(): void {
    this.#isOver = true;
    this.#wakeUp?.stop();
    this.#gathering.end();
    this.#candidates.close();
    const [channel, peer] = [this.#channel, this.#peer];
    this.#channel = this.#peer = undefined;
    if (channel !== undefined) {
      channel.removeEventListener('open', this.#onOpen);
      channel.removeEventListener('message', this.#onMessage);
      channel.removeEventListener('close', this.#onClose);
    }
    if (peer === undefined) return;
    peer.onicecandidate = peer.onconnectionstatechange = peer.onicegatheringstatechange = null;
    closePeer(peer);
  }
}

function malformed(what: string): TransportError {
  return reasonError('malformed', `the node ${what}`);
}

function mismatch(what: string): TransportError {
  return reasonError('identity_mismatch', what);
}

function textOf(cause: unknown): string {
  return cleanText(String((cause as Error | null)?.message ?? cause)).slice(0, 200);
}

function ignore(): void {}

/** Maximum length of a description, in characters; `parseSignalMessage` accepts no longer one. */
const MOST_SDP = 16_384;
/** Maximum number of messages that may arrive before this end is ready for the hello. */
const MOST_EARLY = 4;
