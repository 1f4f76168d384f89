// Asks one DNS server one question: over UDP, and again over TCP if the answer was truncated (RFC
// 1035, RFC 7766). Each question uses a new socket, so that its source port is random (RFC 5452).

import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { formatHostPort } from '@trunkline/transport-core/backend';
import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';
import type { DnsExchange, DnsServer } from './dns-server.ts';

/** The type of the records that a question asks for. */
export type QuestionType = 'A' | 'AAAA' | 'SRV';

/** One question. */
export interface Question {
  /** An absolute name, valid as `isName` says, in lower case and without the dot at its end. */
  readonly name: string;
  readonly type: QuestionType;
  /** 0 to 65,535; drawn at random for each question. */
  readonly id: number;
  /** True to announce that answers of up to 1,232 bytes are accepted over UDP (EDNS, RFC 6891). */
  readonly edns: boolean;
}

/** An answer. */
export interface Answer extends Required<Pick<Packet, 'answers' | 'additionals'>> {
  /** The response code: 0 for success, 3 if the name does not exist (RFC 1035). */
  readonly code: number;
}

/**
 * Asks a server through `exchange`, or over UDP and TCP if `exchange` is undefined. Rejects if the
 * socket or `exchange` fails, and with the signal's reason if the signal aborts. This function has
 * no timeout of its own, so the signal must abort in time. A message that does not answer the
 * question is ignored over UDP; otherwise the question fails.
 */
export async function ask(
  server: DnsServer,
  question: Question,
  signal: AbortSignal,
  exchange?: DnsExchange,
): Promise<Answer> {
  signal.throwIfAborted();
  if (exchange !== undefined) return askBy(exchange, server, question, signal);
  const answer = await askByUdp(server, question, signal);
  return answer.isCut ? askByTcp(server, question, signal) : answer;
}

async function askBy(
  exchange: DnsExchange,
  { host, port }: DnsServer,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const message = await exchange(formatHostPort(host, port), encode(packetOf(question)), signal);
  const answer = readAnswer(Buffer.from(message), question);
  if (answer === undefined) throw new Error('the server sent another answer');
  return answer;
}

interface UdpAnswer extends Answer {
  /** True if records are missing because they did not fit into the packet. */
  readonly isCut: boolean;
}

function askByUdp(
  { host, port }: DnsServer,
  question: Question,
  signal: AbortSignal,
): Promise<UdpAnswer> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const answer = new Promise<UdpAnswer>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (message) => {
      const read = readAnswer(message, question);
      if (read !== undefined) resolve(read);
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    // A connected socket accepts only packets from this server, and gets an error if the port is
    // closed. A failure to connect is an 'error' only if `connect` gets no callback.
    socket.once('connect', () => socket.send(encode(packetOf(question))));
    socket.connect(port, host);
  });
  return answer.finally(() => socket.close());
}

function askByTcp(
  { host, port }: DnsServer,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const socket = connect({ host, port });
  const answer = new Promise<Answer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const message = completeMessage(chunks);
      if (message === undefined) return;
      const read = readAnswer(message, question);
      if (read === undefined) reject(new Error('the server sent another answer'));
      else resolve(read);
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const message = encode(packetOf(question));
    socket.write(new Uint8Array([message.length >> 8, message.length & 0xff]));
    socket.write(message);
  });
  return answer.finally(() => socket.destroy());
}

/** Returns the first message, which begins with its length in two bytes, once it is complete. */
function completeMessage(chunks: Buffer[]): Buffer | undefined {
  const [first, ...others] = chunks;
  const bytes = others.length === 0 ? first! : Buffer.concat(chunks);
  chunks.splice(0, chunks.length, bytes);
  if (bytes.length < 2) return undefined;
  const end = 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? undefined : bytes.subarray(2, end);
}

function packetOf({ name, type, id, edns }: Question): Packet {
  return {
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name, class: 'IN' }],
    additionals: edns ? [EDNS] : [],
  };
}

/** Returns the answer to a question; undefined for any other or malformed packet. */
function readAnswer(message: Buffer, { id, name, type }: Question): UdpAnswer | undefined {
  try {
    const packet = decode(message);
    const [question] = packet.questions ?? [];
    const isMine =
      packet.type === 'response' &&
      packet.id === id &&
      question?.type === type &&
      question.name.toLowerCase() === name;
    if (!isMine) return undefined;
    const { answers = [], additionals = [], flags = 0, flag_tc: isCut } = packet;
    return { code: flags & 0xf, answers, additionals, isCut };
  } catch {
    return undefined;
  }
}

/**
 * The EDNS record. Answers of the announced size pass every network without fragmentation (DNS flag
 * day 2020).
 */
const EDNS = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1_232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
} as const satisfies NonNullable<Packet['additionals']>[number] | { options: readonly [] };
