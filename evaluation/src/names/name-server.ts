// A name server that knows one SRV record set, whose hosts are ports of this machine.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';

/** The name of the records. */
export const NAME = '_rpc._tcp.ledger.test';

/** A running name server. */
export interface NameServer {
  /** 'ip:port', for the option `servers`. */
  readonly address: string;
  /** Sets the ports of the instances. */
  set(ports: readonly number[]): void;
  close(): void;
}

/** Starts a name server; its records are valid for a second. */
export async function startNameServer(): Promise<NameServer> {
  let ports: readonly number[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const { id, questions } = decode(message);
    const isKnown = questions?.[0]?.type === 'SRV' && questions[0].name === NAME;
    const answers = ports.map((port) => ({
      type: 'SRV' as const,
      name: NAME,
      ttl: 1,
      data: { target: 'localhost.test', port, weight: 1, priority: 0 },
    }));
    const host = { type: 'A' as const, name: 'localhost.test', ttl: 1, data: '127.0.0.1' };
    const answer = isKnown ? { answers, additionals: [host] } : { flags: 3 };
    socket.send(encode({ type: 'response', id, questions, ...answer }), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    set: (next) => {
      ports = next;
    },
    close: () => void socket.close(),
  };
}
