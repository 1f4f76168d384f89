// An admitted peer that attacks: it completes a proper hello, and then sends whatever an attack
// wants.

import type { Socket } from 'node:net';
import { type Ending, type Line, openLine, type Target } from './carriers.ts';
import {
  concat,
  FrameReader,
  frame,
  type HelloFields,
  hello,
  Kind,
  nodeIdIn,
  PREAMBLE,
  type ReadFrame,
} from './wire.ts';

export class AttackerConnection {
  readonly line: Line;
  /** The number of received frames by kind. */
  readonly received = new Map<number, number>();
  /**
   * The number of received errors and go-aways, by texts such as 'ERROR 8/14' or 'GO_AWAY 13/12'.
   */
  readonly answers = new Map<string, number>();
  /** The credit left in account 1: the default at first, plus the victim's CREDIT frames. */
  pipe = 256 * 1024;
  /** Called with each received frame, before anything else is done with it. */
  onFrame: (frame: ReadFrame) => void = () => {};
  /** Whether the attacker answers PINGs. */
  answersPings = true;
  /** The way in which the connection ended; undefined while it is open. */
  ending: Ending | undefined = undefined;
  /** The node id that the victim's hello names. */
  victimId = '';
  /** The first GO_AWAY received, as in `answers`; undefined before one comes. */
  goAway: string | undefined = undefined;
  readonly #reader = new FrameReader();
  #preamble: number = PREAMBLE.length;
  #wake: (() => void)[] = [];
  #nonce = 0x7000_0000;
  #pong = 0;

  private constructor(line: Line) {
    this.line = line;
    line.onBytes = (bytes) => this.#read(bytes);
    void line.ended.then((ending) => {
      this.ending = ending;
      this.#awaken();
    });
  }

  /** Opens a connection whose carrier is up, without a hello. `headers` are those of an upgrade. */
  static async connect(
    target: Target,
    headers?: Readonly<Record<string, string>>,
  ): Promise<AttackerConnection> {
    return new AttackerConnection(await openLine(target, headers));
  }

  /** Opens an admitted connection: hello and READY are exchanged. */
  static async admitted(target: Target, fields: HelloFields = {}): Promise<AttackerConnection> {
    const attacker = await AttackerConnection.connect(target);
    attacker.send(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello(fields) })));
    await attacker.until(() => (attacker.received.get(Kind.hello) ?? 0) > 0);
    if (attacker.ending !== undefined || attacker.goAway !== undefined)
      throw new Error(`the hello was refused: ${attacker.outcome()}`);
    attacker.send(frame({ kind: Kind.ready }));
    return attacker;
  }

  get socket(): Socket {
    return this.line.socket;
  }

  get isOver(): boolean {
    return this.ending !== undefined;
  }

  /** Sends bytes; returns false if the system's buffers are full. */
  send(bytes: Uint8Array): boolean {
    return this.isOver || this.line.send(bytes);
  }

  /** Sends bytes and waits until they have left this process. */
  async push(bytes: Uint8Array): Promise<void> {
    if (!this.send(bytes)) await this.line.drained();
  }

  /** Resolves when `condition` holds after something arrived, or the connection has ended. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.isOver)
      await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Resolves with the outcome when the connection has ended. */
  async over(): Promise<string> {
    await this.until(() => false);
    return this.outcome();
  }

  /**
   * Sends a PING and waits for its PONG: everything sent before has then been read. Also resolves
   * if the connection ends.
   */
  async settled(): Promise<void> {
    const nonce = ++this.#nonce;
    this.send(frame({ kind: Kind.ping, id: nonce }));
    await this.until(() => this.#pong === nonce);
  }

  count(kind: number): number {
    return this.received.get(kind) ?? 0;
  }

  /**
   * Returns the victim's last word: a GO_AWAY, the most frequent ERROR, a close code, or how the
   * socket ended.
   */
  outcome(): string {
    if (this.goAway !== undefined) return this.goAway;
    if (this.line.closeCode > 1001) return `close ${this.line.closeCode}`;
    if (this.ending !== undefined) return this.ending === 'reset' ? 'cut' : 'ended';
    const [most] = [...this.answers].sort(([, a], [, b]) => b - a);
    return most === undefined ? 'nothing' : most[0];
  }

  /** Destroys the socket. */
  destroy(): void {
    this.socket.destroy();
  }

  #read(bytes: Uint8Array): void {
    const skipped = Math.min(this.#preamble, bytes.length);
    this.#preamble -= skipped;
    for (const read of this.#reader.push(bytes.subarray(skipped))) this.#take(read);
    this.#awaken();
  }

  #take(read: ReadFrame): void {
    this.received.set(read.kind, this.count(read.kind) + 1);
    if (read.kind === Kind.hello) this.victimId = nodeIdIn(read.hello);
    this.onFrame(read);
    if (read.kind === Kind.ping && this.answersPings)
      this.send(frame({ kind: Kind.pong, id: read.id }));
    else if (read.kind === Kind.pong) this.#pong = read.id;
    else if (read.kind === Kind.credit && read.account === 1) this.pipe += read.credit;
    else if (read.kind === Kind.goAway || read.kind === Kind.error) {
      const answer = `${read.kind === Kind.error ? 'ERROR' : 'GO_AWAY'} ${read.code}${read.reason === 0 ? '' : `/${read.reason}`}`;
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      if (read.kind === Kind.goAway) this.goAway ??= answer;
    }
  }

  #awaken(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}
