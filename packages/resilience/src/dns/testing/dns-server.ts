// A DNS server for tests, on a random port of 127.0.0.1, over UDP and TCP.

import type { Buffer } from 'node:buffer';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import {
  type Answer,
  decode,
  encode,
  type Packet,
  streamDecode,
  streamEncode,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** The server's answer to a question. */
export interface Zone {
  readonly answers?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  /** A response code to send instead of records: 1 FORMERR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly code?: number;
  /** True to give no answer. */
  readonly silent?: boolean;
  /** True to truncate the answer over UDP. */
  readonly cut?: boolean;
  /** Packets that are sent before the answer over UDP. */
  readonly before?: (query: Packet) => readonly Uint8Array[];
}

/** A server whose records may be changed at any time. */
export class DnsServer {
  /** The answers by question ('A name'). The server answers any other question with NXDOMAIN. */
  readonly zones = new Map<string, Zone>();
  /** The questions so far: 'udp A name'. */
  readonly asked: string[] = [];
  /** True to answer questions that use EDNS with FORMERR. */
  isOld = false;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { count: number; resolve(): void }[] = [];
  #port = 0;

  private constructor() {
    this.#udp = createSocket('udp4');
    this.#tcp = createServer((socket) => this.#accepted(socket));
  }

  static async start(): Promise<DnsServer> {
    // The same port must be free for both protocols.
    for (let attempt = 0; ; attempt++) {
      const server = new DnsServer();
      try {
        await server.#listen();
        return server;
      } catch (error) {
        await server.close();
        if (attempt === 20) throw error;
      }
    }
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(0, '127.0.0.1', resolve);
    });
    this.#port = (this.#tcp.address() as { port: number }).port;
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject);
      this.#udp.bind(this.#port, '127.0.0.1', resolve);
    });
    this.#udp.on('message', (message, { port, address }) => {
      const reply = (bytes: Uint8Array) => this.#udp.send(bytes, port, address);
      this.#udpAsked(message, reply);
    });
  }

  /** The address for the option `servers`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Sets the A records of a name. */
  hosts(name: string, ips: readonly string[], ttl = 5): void {
    this.zones.set(`A ${name}`, { answers: ips.map((data) => ({ type: 'A', name, ttl, data })) });
    if (!this.zones.has(`AAAA ${name}`)) this.zones.set(`AAAA ${name}`, {});
  }

  /** Resolves when this many questions have been asked. */
  questions(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  #udpAsked(message: Buffer, reply: (bytes: Uint8Array) => void): void {
    const query = decode(message);
    const zone = this.#zoneOf(query, 'udp');
    if (zone.silent) return;
    for (const bytes of zone.before?.(query) ?? []) reply(bytes);
    const hasEdns = query.additionals?.some(({ type }) => type === 'OPT') === true;
    if (this.isOld && hasEdns) reply(encode(answerTo(query, { code: 1 })));
    else if (zone.cut)
      reply(encode({ ...answerTo(query, {}), flags: TRUNCATED_RESPONSE, type: 'response' }));
    else reply(encode(answerTo(query, zone)));
  }

  #accepted(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', (message) => {
      const query = streamDecode(message as Buffer);
      const zone = this.#zoneOf(query, 'tcp');
      const bytes = streamEncode(answerTo(query, zone));
      if (zone.silent) return;
      // In two pieces, as a network may deliver them.
      socket.write(bytes.subarray(0, 1));
      socket.write(bytes.subarray(1));
    });
  }

  #zoneOf(query: Packet, carrier: 'udp' | 'tcp'): Zone {
    const { type, name } = query.questions![0]!;
    this.asked.push(`${carrier} ${type} ${name}`);
    for (const waiter of [...this.#waiting]) {
      if (this.asked.length < waiter.count) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
    return this.zones.get(`${type} ${name}`) ?? { code: 3 };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => {
        try {
          this.#udp.close(() => resolve());
        } catch {
          resolve();
        }
      }),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }
}

/** Returns the answer to a query. */
export function answerTo(
  query: Packet,
  { answers = [], additionals = [], code = 0 }: Zone,
): Packet {
  return {
    type: 'response',
    id: query.id,
    flags: code,
    questions: query.questions,
    answers: [...answers],
    additionals: [...additionals],
  };
}
