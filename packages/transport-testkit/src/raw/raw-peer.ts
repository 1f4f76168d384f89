// A peer that knows only the wire format. It dials over any StreamLayer, or is accepted by a
// RawListener, sends what the test gives it, well-formed or not, and records what it receives. All
// waits end with an event, such as a frame or the end of the connection, and never after a time.

import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import {
  concat,
  decodeBody,
  encodeRawFrame,
  type RawFrame,
  type RawFrameInput,
  type RawHello,
  type RawKind,
  RawSplitter,
} from './raw-frames.ts';
import { rawHello } from './raw-hello.ts';

/** The preamble `54 52 4B 4C`. */
export const RAW_PREAMBLE: Uint8Array = Uint8Array.from([0x54, 0x52, 0x4b, 0x4c]);

interface Waiter {
  wants: (frame: RawFrame) => boolean;
  /** True if the waiter takes the frame; otherwise others can still take it. */
  takes: boolean;
  what: string;
  resolve: (frame: RawFrame) => void;
  reject: (error: Error) => void;
}

/** One connection, as an independent implementation sees it. */
export class RawPeer {
  readonly role: 'dialer' | 'acceptor';
  /** Every received frame, in order, whether taken by `next` or not. */
  readonly log: RawFrame[] = [];
  /** Answers PINGs immediately, as every peer must. */
  answerPings = true;
  /** Immediately gives back the exact cost of each packet on the pipe (account 1). */
  returnPipe = true;
  /**
   * Our credit for packets of long messages and items. The other end's hello sets it, so the hello
   * must arrive before such packets are sent. Each CREDIT of account 1 increases it.
   */
  pipe = 0;
  /**
   * The number of received bytes, including the preamble; `received` holds the first MiB of them.
   */
  receivedBytes = 0;

  readonly #connection: StreamConnection;
  readonly #splitter = new RawSplitter();
  readonly #received: Uint8Array[] = [];
  readonly #untaken: RawFrame[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #outgoing: Uint8Array[] = [];
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #preamble: Uint8Array = new Uint8Array(0);
  #gotPreamble: (() => void) | undefined;
  #blocked = false;
  #closing = false;
  #over = false;
  /** The number of callers that wait for the end of the connection. */
  #awaitingEnd = 0;
  #error: Error | undefined;
  /** The id of the last PING of `barrier`, above the ids that cases choose. */
  #nonce = 0x7000_0000;

  constructor(connection: StreamConnection, role: 'dialer' | 'acceptor') {
    this.role = role;
    this.#connection = connection;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    connection.attach({
      data: (chunk) => this.#data(chunk),
      frames: () => {}, // Never called: a connection that carries bytes reports no frames.
      drained: () => this.#drained(),
      closed: (error) => this.#closed(error),
    });
  }

  /** Dials `address`; sends nothing yet. */
  static async dial(layer: StreamLayer, address: string): Promise<RawPeer> {
    return new RawPeer(await layer.dial(address, { timeout: DIAL_TIMEOUT }), 'dialer');
  }

  /** Sends bytes unchanged, each argument as a chunk of its own, and charges no `pipe`. */
  bytes(...chunks: (Uint8Array | readonly number[])[]): void {
    for (const chunk of chunks) this.#write(Uint8Array.from(chunk));
  }

  /** Sends frames, all in one chunk. */
  send(...frames: RawFrameInput[]): void {
    this.#write(this.#encoded(frames));
  }

  /**
   * Sends frames one by one; each packet that is charged to the pipe (account 1) waits until there
   * is credit. Takes the CREDIT frames of that account.
   */
  async paced(frames: readonly RawFrameInput[]): Promise<void> {
    for (const frame of frames) {
      while (onPipe(frame) && this.pipe <= 0)
        await this.next('CREDIT', ({ account }) => account === 1);
      this.send(frame);
    }
  }

  /** Sends the preamble, followed by frames in the same chunk. */
  begin(...frames: RawFrameInput[]): void {
    this.#write(concat([RAW_PREAMBLE, this.#encoded(frames)]));
  }

  /**
   * Resolves to the first frame of that kind for which `where` returns true and which was not taken
   * yet; rejects if the connection ends without one.
   */
  next(
    kind: RawKind | number,
    where: (frame: RawFrame) => boolean = () => true,
  ): Promise<RawFrame> {
    const wants = (frame: RawFrame) => frame.kind === kind && where(frame);
    const at = this.#untaken.findIndex(wants);
    if (at >= 0) return Promise.resolve(this.#untaken.splice(at, 1)[0] as RawFrame);
    return this.#when({ what: String(kind), wants, takes: true });
  }

  /** Returns the number of frames of that kind that have arrived so far. */
  count(kind: RawKind | number): number {
    return this.log.filter((frame) => frame.kind === kind).length;
  }

  /**
   * Resolves once `total` frames of these kinds have arrived since the connection began; takes none
   * of them.
   */
  async arrived(total: number, ...kinds: (RawKind | number)[]): Promise<void> {
    let read = 0;
    let count = 0;
    const wants = () => {
      for (; read < this.log.length; read++) if (kinds.includes(this.log[read]!.kind)) count++;
      return count >= total;
    };
    const what = `${total} frames (${kinds.join(' or ')})`;
    if (!wants()) await this.#when({ what, wants, takes: false });
  }

  /**
   * Resolves when the other end has handled everything sent before, by means of a PING and its
   * PONG. The PONG overtakes answers that had to wait for room in the connection, so use `arrived`
   * to wait for many answers. Works only on a connection that is up.
   */
  async barrier(): Promise<void> {
    const id = ++this.#nonce;
    this.send({ kind: 'PING', id });
    await this.next('PONG', (frame) => frame.id === id);
  }

  /**
   * Resolves with the other end's preamble, or with the part of it that arrived before the
   * connection ended. Only one call may wait.
   */
  async preamble(): Promise<Uint8Array> {
    while (this.#preamble.length < 4 && !this.#over)
      await new Promise<void>((resolve) => (this.#gotPreamble = resolve));
    this.#gotPreamble = undefined;
    return this.#preamble;
  }

  /**
   * Performs the whole hello exchange correctly. A dialer sends its preamble and HELLO, receives
   * the other's HELLO, and sends READY. An acceptor receives the other's HELLO, sends its own, and
   * receives READY. Resolves with the other's hello. The frames in `behind` are sent in the same
   * chunk as READY (or as our HELLO, for an acceptor).
   */
  async handshake(hello: Partial<RawHello> = {}, behind: RawFrameInput[] = []): Promise<RawHello> {
    const mine = rawHello(hello);
    if (this.role === 'dialer') {
      this.begin({ kind: 'HELLO', hello: mine });
      const theirs = (await this.next('HELLO')).hello as RawHello;
      this.send({ kind: 'READY' }, ...behind);
      return theirs;
    }
    const theirs = (await this.next('HELLO')).hello as RawHello;
    this.begin(
      {
        kind: 'HELLO',
        hello: {
          ...mine,
          wireMin: hello.wireMin ?? theirs.wireMax,
          wireMax: hello.wireMax ?? theirs.wireMax,
        },
      },
      ...behind,
    );
    await this.next('READY');
    return theirs;
  }

  /**
   * Resolves with a whole message of one or more packets, whose first frame is of that kind, as a
   * frame with the whole payload. In the meantime, pipe credit must be returned (`returnPipe`).
   */
  async message(kind: RawKind, where?: (frame: RawFrame) => boolean): Promise<RawFrame> {
    const first = await this.next(kind, where);
    const parts = [first.payload];
    for (let got = first.payload.length; got < first.size; ) {
      const part = await this.next('PART', (frame) => frame.id === first.id);
      parts.push(part.payload);
      got += part.payload.length;
    }
    return { ...first, payload: concat(parts) };
  }

  /**
   * Grants credit (docs/wire-protocol.md §6): to the connection for packets (account 1), to a
   * channel for one-ways and long requests (2), to a call for its stream (3).
   */
  grant(account: number, credit: number, of: { id?: number; channel?: number } = {}): void {
    this.send({ kind: 'CREDIT', account, credit, ...of });
  }

  /** Resolves when the connection has ended, with the layer's error, if there is one. */
  async expectClosed(): Promise<Error | undefined> {
    this.#awaitingEnd++;
    await this.#ended;
    this.#awaitingEnd--;
    return this.#error;
  }

  /** Describes the events that callers now wait for: 'PONG', 'the end of the connection'. */
  waits(): string[] {
    const waits = this.#waiters.map(({ what }) => `${what} at the raw peer`);
    if (this.#gotPreamble !== undefined) waits.push('the preamble at the raw peer');
    if (this.#awaitingEnd > 0) waits.push('the end of the connection at the raw peer');
    return waits;
  }

  get closed(): boolean {
    return this.#over;
  }

  /** The received bytes, up to the first MiB. */
  get received(): Uint8Array {
    return concat(this.#received);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** Closes gracefully, after everything that was sent. */
  close(): void {
    this.#closing = true;
    this.#flush();
  }

  /** Destroys the connection, which ends immediately. */
  destroy(): void {
    this.#connection.destroy();
    this.#closed(undefined);
  }

  #when(waiter: Pick<Waiter, 'what' | 'wants' | 'takes'>): Promise<RawFrame> {
    if (this.#over) return Promise.reject(this.#missing(waiter.what));
    return new Promise((resolve, reject) => this.#waiters.push({ ...waiter, resolve, reject }));
  }

  /** Encodes frames to send, and charges the pipe for the frames that it has to pay for. */
  #encoded(frames: readonly RawFrameInput[]): Uint8Array {
    for (const frame of frames) if (onPipe(frame)) this.pipe -= cost(frame);
    return concat(frames.map(encodeRawFrame));
  }

  #write(chunk: Uint8Array): void {
    if (this.#blocked) this.#outgoing.push(chunk);
    else this.#blocked = !this.#connection.write(chunk);
  }

  #drained(): void {
    this.#blocked = false;
    this.#flush();
  }

  #flush(): void {
    while (!this.#blocked && this.#outgoing.length > 0)
      this.#blocked = !this.#connection.write(this.#outgoing.shift() as Uint8Array);
    if (!this.#closing || this.#outgoing.length > 0) return;
    this.#closing = false;
    this.#connection.close();
  }

  #data(chunk: Uint8Array): void {
    const room = RECEIVED_KEPT - this.receivedBytes;
    if (room > 0) this.#received.push(chunk.slice(0, room));
    this.receivedBytes += chunk.length;
    let rest = chunk;
    if (this.#preamble.length < 4) {
      const missing = 4 - this.#preamble.length;
      this.#preamble = concat([this.#preamble, chunk.subarray(0, missing)]);
      rest = chunk.subarray(missing);
      if (this.#preamble.length === 4) this.#gotPreamble?.();
    }
    for (const body of this.#splitter.push(rest)) this.#frame(decodeBody(body.slice()));
  }

  #frame(frame: RawFrame): void {
    this.log.push(frame);
    if (frame.kind === 'PING' && this.answerPings) this.send({ kind: 'PONG', id: frame.id });
    if (frame.kind === 'HELLO') this.pipe = frame.hello?.limits?.pipe ?? 0;
    if (frame.kind === 'CREDIT' && frame.account === 1) this.pipe += frame.credit;
    if (this.returnPipe && onPipe(frame)) this.grant(1, cost(frame));
    let isTaken = false;
    for (const waiter of [...this.#waiters]) {
      if ((isTaken && waiter.takes) || !waiter.wants(frame)) continue;
      isTaken ||= waiter.takes;
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve(frame);
    }
    if (!isTaken) this.#untaken.push(frame);
  }

  #closed(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#gotPreamble?.();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#missing(waiter.what));
    this.#end();
  }

  #missing(what: string): Error {
    const came = this.log.slice(-20).map((frame) => describeFrame(frame));
    const why = this.#error === undefined ? '' : ` (${this.#error.message})`;
    return new Error(
      `the connection ended${why} before ${what} arrived; the last frames were: ${came.join(', ') || 'none'}`,
    );
  }
}

/**
 * Returns the cost of a packet on account 1 or 3: its payload and metadata, and 64 bytes
 * (docs/wire-protocol.md §6). On account 2, a ONEWAY costs 1,024 bytes instead of the 64.
 */
export function cost(frame: Pick<RawFrameInput, 'payload' | 'metadata'>): number {
  return (frame.payload?.length ?? 0) + metadataSize(frame.metadata ?? {}) + 64;
}

/**
 * Returns true if the frame is a packet of a long message or of an item, which is charged to the
 * pipe.
 */
function onPipe(frame: RawFrameInput): boolean {
  if (frame.kind === 'CREDIT') return false;
  return frame.kind === 'PART' || frame.kind === 'ITEM' || (frame.size ?? 0) > 0;
}

/** Returns the size of metadata: the UTF-8 lengths of all keys and values. */
export function metadataSize(metadata: Record<string, string>): number {
  const utf8 = new TextEncoder();
  return Object.entries(metadata).reduce(
    (sum, [key, value]) => sum + utf8.encode(key).length + utf8.encode(value).length,
    0,
  );
}

/** Describes a frame in a few words, for the messages of failing cases. */
export function describeFrame(frame: RawFrame): string {
  const parts = [String(frame.kind)];
  for (const name of [
    'id',
    'channel',
    'method',
    'flags',
    'timeout',
    'size',
    'account',
    'credit',
    'code',
    'reason',
  ] as const) {
    // An absent field is 0.
    if (frame[name] !== 0) parts.push(`${name} ${frame[name]}`);
  }
  for (const [key, value] of Object.entries(frame.metadata)) parts.push(`${key}=${value}`);
  if (frame.text !== '') parts.push(`'${frame.text}'`);
  if (frame.payload.length > 0) parts.push(`${frame.payload.length} bytes`);
  return parts.join(' ');
}

const RECEIVED_KEPT = 1024 * 1024;
/**
 * The timeout of a dial, in milliseconds on the layer's clock: more than a dial takes on a busy
 * machine. In the suites, a case that hangs fails earlier, by its `stallTimeout`.
 */
const DIAL_TIMEOUT = 60_000;
