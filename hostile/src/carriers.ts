// Raw connections of every carrier behind one interface: send bytes, receive bytes, and learn how
// the connection ended.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Cipher, NoiseClient } from './noise-client.ts';
import { upgradeRequest, WebSocketReader, webSocketFrame } from './web-socket-client.ts';
import { concat } from './wire.ts';

export type Carrier = 'tcp' | 'tls' | 'ws' | 'ws-attached' | 'wss' | 'noise';

/** The carriers that an attack runs on unless it names others. */
export const CARRIERS: readonly Carrier[] = ['tcp', 'tls', 'ws', 'ws-attached', 'wss', 'noise'];

/** The carriers that are WebSockets. */
export const WEB_SOCKETS: readonly Carrier[] = ['ws', 'ws-attached', 'wss'];

/** The victim's address, and the credentials with which it admits the attacker. */
export interface Target {
  readonly carrier: Carrier;
  readonly host: string;
  readonly port: number;
  /** The address of this machine that the attacker connects from. Default: the system's choice. */
  readonly from?: string;
  /** PEM texts. */
  readonly key: string;
  readonly cert: string;
  /** RunCredentials from an authority that the victim does not know. */
  readonly stranger: { readonly key: string; readonly cert: string };
}

/** No credentials, for a victim that asks for none. */
export const NO_KEYS = { key: '', cert: '', stranger: { key: '', cert: '' } };

/** The way in which a connection ended: in order, or with a socket error such as a RST. */
export type Ending = 'end' | 'reset';

/** A connection whose carrier handshake is done: from here on it is a stream of bytes. */
export interface Line {
  readonly carrier: Carrier;
  readonly socket: Socket;
  /** The code of the victim's close frame; 0 if none came, and on carriers other than WebSocket. */
  readonly closeCode: number;
  /**
   * Sends a piece of the stream: on a WebSocket one message, or several of 256 KiB. Returns false
   * if the system's buffers are full.
   */
  send(bytes: Uint8Array): boolean;
  /** Resolves when everything sent has left this process, or the connection has ended. */
  drained(): Promise<void>;
  onBytes: (bytes: Uint8Array) => void;
  readonly ended: Promise<Ending>;
}

/** Calls `watch` with each socket that `openSocket` opens from now on. */
export function onSocket(watch: (socket: Socket) => void): void {
  watchSocket = watch;
}

let watchSocket: (socket: Socket) => void = () => {};

/** Opens a bare socket, with TLS if the carrier has it, and writes nothing on it. */
export async function openSocket(target: Target): Promise<Socket> {
  const socket = await openUnwatched(target);
  watchSocket(socket);
  return socket;
}

async function openUnwatched(target: Target): Promise<Socket> {
  const { carrier, host, port, from, key, cert } = target;
  const bare = connect({ host, port, noDelay: true, ...(from && { localAddress: from }) });
  await once(bare, 'connect');
  if (carrier !== 'tls' && carrier !== 'wss') return bare;
  const socket = connectTls({
    socket: bare,
    ...(key !== '' && { key, cert }),
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  bareSockets.set(socket, bare);
  await once(socket, 'secureConnect');
  return socket;
}

/** Ends a connection with a RST. */
export function reset(socket: Socket): void {
  (bareSockets.get(socket) ?? socket).resetAndDestroy();
}

/** The bare sockets below TLS sockets. */
const bareSockets = new WeakMap<Socket, Socket>();

/** Opens a line: socket, TLS, upgrade or noise handshake. Rejects if the victim refuses it. */
export async function openLine(
  target: Target,
  headers?: Readonly<Record<string, string>>,
): Promise<Line> {
  const socket = await openSocket(target);
  if (target.carrier === 'noise') return NoiseLine.open(target, socket);
  if (target.carrier === 'tcp' || target.carrier === 'tls')
    return new SocketLine(target.carrier, socket);
  return WebSocketLine.open(target, socket, headers);
}

class SocketLine implements Line {
  readonly carrier: Carrier;
  readonly socket: Socket;
  readonly ended: Promise<Ending>;
  onBytes: (bytes: Uint8Array) => void = () => {};

  constructor(carrier: Carrier, socket: Socket) {
    this.carrier = carrier;
    this.socket = socket;
    this.ended = endOf(socket);
    socket.on('data', (chunk) => this.received(chunk));
  }

  get closeCode(): number {
    return 0;
  }

  send(bytes: Uint8Array): boolean {
    return this.socket.destroyed || !this.socket.writable || this.socket.write(bytes);
  }

  async drained(): Promise<void> {
    const { socket } = this;
    if (socket.destroyed || !socket.writable || !socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
    });
  }

  protected received(chunk: Uint8Array): void {
    this.onBytes(chunk);
  }
}

class WebSocketLine extends SocketLine {
  readonly #reader = new WebSocketReader();

  static async open(
    target: Target,
    socket: Socket,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Line> {
    const line = new WebSocketLine(target.carrier, socket);
    socket.write(upgradeRequest('/', { Host: `${target.host}:${target.port}`, ...headers }));
    while (line.#reader.status === 0 && !socket.destroyed)
      await Promise.race([once(socket, 'data'), line.ended]);
    if (line.#reader.status !== 101)
      throw new Error(`the upgrade was answered with ${line.#reader.status}`);
    return line;
  }

  override get closeCode(): number {
    return this.#reader.closeCode;
  }

  override send(bytes: Uint8Array): boolean {
    let room = true;
    for (let at = 0; at < bytes.length; at += MESSAGE)
      room = super.send(webSocketFrame(bytes.subarray(at, at + MESSAGE)));
    return room;
  }

  protected override received(chunk: Uint8Array): void {
    for (const payload of this.#reader.push(chunk)) this.onBytes(payload);
  }
}

class NoiseLine extends SocketLine {
  #rest: Uint8Array = new Uint8Array(0);
  #send: Cipher | undefined;
  #receive: Cipher | undefined;

  static async open({ key }: Target, socket: Socket): Promise<Line> {
    const line = new NoiseLine('noise', socket);
    const client = new NoiseClient(key);
    socket.write(client.begin());
    let answer: Uint8Array | undefined;
    while (answer === undefined) {
      if (socket.destroyed) throw new Error('the noise handshake was not answered');
      await Promise.race([once(socket, 'data'), line.ended]);
      answer = line.#record(GREETING);
    }
    line.#rest = line.#rest.slice(GREETING);
    const { bytes, send, receive } = client.answer(line.#take()!);
    line.#send = send;
    line.#receive = receive;
    socket.write(bytes);
    return line;
  }

  override send(bytes: Uint8Array): boolean {
    let room = true;
    for (let at = 0; at < bytes.length; at += LONGEST)
      room = super.send(this.#send!.record(bytes.subarray(at, at + LONGEST)));
    return room;
  }

  protected override received(chunk: Uint8Array): void {
    this.#rest = concat(this.#rest, chunk);
    if (this.#receive === undefined) return;
    for (let record = this.#take(); record !== undefined; record = this.#take())
      this.onBytes(this.#receive.read(record));
  }

  #record(from: number): Uint8Array | undefined {
    const rest = this.#rest;
    if (rest.length < from + 2) return undefined;
    const end = from + 2 + ((rest[from]! << 8) | rest[from + 1]!);
    return rest.length < end ? undefined : rest.subarray(from + 2, end);
  }

  #take(): Uint8Array | undefined {
    const record = this.#record(0);
    if (record !== undefined) this.#rest = this.#rest.subarray(record.length + 2);
    return record;
  }
}

function endOf(socket: Socket): Promise<Ending> {
  return new Promise((resolve) => {
    let ending: Ending = 'end';
    socket.on('error', () => {
      ending = 'reset';
    });
    socket.on('close', () => resolve(ending));
  });
}

/** The bytes of noise's preamble, and the most plaintext in a record. */
const GREETING = 5;
const LONGEST = 65_519;
/** The most bytes that a WebSocket message should have. */
const MESSAGE = 262_144;
