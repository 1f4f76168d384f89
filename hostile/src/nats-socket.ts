// A client of a NATS server by raw bytes, without any library: it subscribes to what it likes, and
// publishes with any reply subject.

import { createConnection, type Socket } from 'node:net';

/** A message as the server delivers it. A message with headers is "no responders", or not ours. */
export interface BrokerMessage {
  readonly subject: string;
  readonly reply: string;
  readonly data: Buffer;
}

export class NatsSocket {
  /** Called for each message. */
  message: (message: BrokerMessage) => void = () => {};
  readonly #socket: Socket;
  #rest = Buffer.alloc(0);
  #subscriptions = 0;
  readonly #pongs: (() => void)[] = [];

  constructor(port: number) {
    this.#socket = createConnection(port, '127.0.0.1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
  }

  /** @param queue the queue group, of which one member receives each message */
  subscribe(subject: string, queue = ''): void {
    this.#socket.write(`SUB ${subject} ${queue} ${++this.#subscriptions}\r\n`);
  }

  publish(subject: string, data: Buffer | string, reply = ''): void {
    const bytes = Buffer.from(data);
    const head = `PUB ${subject} ${reply} ${bytes.length}\r\n`;
    // A system call for each message would cost the attacker more than the message costs its victim.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(Buffer.concat([Buffer.from(head), bytes, END]));
  }

  /** Resolves when the server has read everything that was written before. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#pongs.push(resolve);
      this.#socket.write('PING\r\n');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.indexOf(END);
      if (end < 0) return;
      const [verb, ...words] = this.#rest.toString('latin1', 0, end).split(/ +/);
      const length = verb === 'MSG' || verb === 'HMSG' ? Number(words.at(-1)) : -END.length;
      const next = end + 2 * END.length + length;
      if (this.#rest.length < next) return;
      const data = this.#rest.subarray(end + END.length, next - END.length);
      this.#rest = this.#rest.subarray(next);
      if (verb === 'PING') this.#socket.write('PONG\r\n');
      if (verb === 'PONG') this.#pongs.shift()?.();
      if (verb !== 'MSG') continue;
      this.message({ subject: words[0]!, reply: words.length === 4 ? words[2]! : '', data });
    }
  }
}

const END = Buffer.from('\r\n');
