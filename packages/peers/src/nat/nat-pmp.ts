// Maps ports by NAT-PMP (RFC 6886). Tested in create-port-mapping.test.ts.

import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import {
  type ExternalPort,
  type Gateway,
  gatewayError,
  LEASE,
  type MappingRequest,
} from './gateway.ts';

/** The NAT-PMP gateway at an IPv4 address. It may not answer. */
export class NatPmpGateway implements Gateway {
  readonly protocol = 'nat-pmp';
  readonly host: string;

  constructor(host: string) {
    this.host = host;
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<ExternalPort> {
    try {
      // First, because a mapping that was made before a failure would be forgotten.
      const external = await this.#ask(Buffer.from([0, EXTERNAL_ADDRESS]), signal);
      const mapped = await this.#ask(mapRequest(request, LEASE), signal);
      return { host: external.subarray(8, 12).join('.'), port: mapped.readUInt16BE(10) };
    } catch (error) {
      throw gatewayError(this, `map port ${request.internalPort}`, error, signal);
    }
  }

  async unmap(request: MappingRequest, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask(mapRequest(request, 0), signal);
    } catch (error) {
      const action = `remove the mapping of port ${request.externalPort}`;
      throw gatewayError(this, action, error, signal);
    }
  }

  /** Sends a request; returns the answer. Other datagrams are ignored. */
  #ask(request: Buffer, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const close = () => {
        signal.removeEventListener('abort', abort);
        socket.close();
      };
      const fail = (error: Error) => {
        close();
        reject(error);
      };
      const abort = () => fail(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      socket.once('error', ({ message }) => fail(new Error(`no answer: ${message}`)));
      socket.on('message', (answer) => {
        if (!isAnswer(answer, request)) return;
        const result = answer.readUInt16BE(2);
        if (result !== 0) return fail(new Error(RESULTS[result] ?? `Result ${result}`));
        close();
        resolve(answer);
      });
      socket.once('connect', () => socket.send(request));
      // A connected socket receives only what this address sends. `connect` has no callback here,
      // because Node would call it after a failure, too.
      socket.connect(PORT, this.host);
    });
  }
}

function mapRequest(request: MappingRequest, lease: number): Buffer {
  const message = Buffer.alloc(12);
  message[1] = MAP_TCP;
  message.writeUInt16BE(request.internalPort, 4);
  message.writeUInt16BE(request.externalPort, 6);
  message.writeUInt32BE(lease, 8);
  return message;
}

/** Returns true if a datagram answers a request: it has the same operation and internal port. */
function isAnswer(answer: Buffer, request: Buffer): boolean {
  if (answer.length < 4 || answer[1] !== ANSWER + request[1]!) return false;
  if (answer.readUInt16BE(2) !== 0) return true;
  if (request[1] === EXTERNAL_ADDRESS) return answer.length >= 12;
  return answer.length >= 16 && answer.readUInt16BE(8) === request.readUInt16BE(4);
}

const PORT = 5_351;
const EXTERNAL_ADDRESS = 0;
const MAP_TCP = 2;
/** The operation of an answer is that of its request plus this number (RFC 6886, section 3). */
const ANSWER = 128;
const RESULTS: Readonly<Record<number, string>> = {
  1: 'Unsupported Version',
  2: 'Not Authorized/Refused (the gateway may have NAT-PMP disabled)',
  3: 'Network Failure (the gateway may have no address)',
  4: 'Out of Resources (no ports left)',
  5: 'Unsupported Operation',
};
