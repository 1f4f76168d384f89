// Transports whose bytes are the same in each run, for the wire vectors.

import { defineProtocol, type Transport } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createManualClock, type ManualClock } from '@trunkline/transport-core/testing';
import { suiteProtocol } from '../raw/protocols.ts';
import { rawHello } from '../raw/raw-hello.ts';
import { RawPeer } from '../raw/raw-peer.ts';
import { createPipes } from './pipes.ts';
import { Transcript } from './transcript.ts';

type SuiteTransport = Transport<typeof suiteProtocol>;
/** Two transports, the bytes between them, and the clock of both. */
export interface Ends {
  dialer: SuiteTransport;
  acceptor: SuiteTransport;
  /** The dialer's target. */
  to: string;
  clock: ManualClock;
  transcript: Transcript;
}

/** Creates two transports on pipes whose bytes the transcript records. */
export async function ends(options: { acceptor?: { network?: string } } = {}): Promise<Ends> {
  const transcript = new Transcript();
  const pipes = createPipes((side, chunk) => transcript.push(side, chunk));
  const clock = createManualClock();
  const dialer = new NetworkTransport({
    protocol: suiteProtocol,
    stream: pipes.layer(),
    clock,
    random: () => 0xaa / 256,
  });
  const acceptor = new NetworkTransport({
    protocol: suiteProtocol,
    stream: pipes.layer(),
    clock,
    random: () => 0xbb / 256,
    ...options.acceptor,
  });
  await dialer.listen();
  await acceptor.listen();
  return { dialer, acceptor, to: acceptor.localAddr(), clock, transcript };
}

/** Creates a transport, and a dial by a raw peer; the transcript records the bytes. */
export async function rawEnds(transcript: Transcript, protocol: typeof suiteProtocol) {
  const pipes = createPipes((side, chunk) => transcript.push(side, chunk));
  const clock = createManualClock();
  const layer = pipes.layer();
  const mounted = defineProtocol({ ...protocol });
  const acceptor = new NetworkTransport({
    protocol: mounted as typeof suiteProtocol,
    stream: pipes.layer(),
    clock,
    random: () => 0xbb / 256,
  });
  await acceptor.listen();
  return { acceptor, clock, dial: () => RawPeer.dial(layer, acceptor.localAddr()) };
}

/**
 * Returns a hello that is the same in each run: that of the dialer of `rawEnds`, whose pipe is made
 * first.
 */
export function fixed() {
  return {
    ...rawHello(),
    instance: new Uint8Array(16).fill(0xaa),
    addr: 'pipe-1',
    observed: 'pipe-2',
  };
}

/** Resolves when the acceptor has a connection that is up and the first PING has been answered. */
export async function seen(acceptor: SuiteTransport): Promise<void> {
  while (acceptor.remotes()[0]?.rtt === undefined) await turn();
}

/** Answers one call to `echo`, and waits for its end. */
export async function answered(
  acceptor: SuiteTransport,
  sent: Promise<unknown>,
  answer: Uint8Array,
): Promise<void> {
  const { value: rpc } = await acceptor.consumer('echo').next();
  rpc.respond(answer);
  await sent;
}

/** Resolves when a line that the caller wants has been sent. */
export async function crossed(
  transcript: Transcript,
  wanted: (line: Transcript['lines'][number]) => boolean,
): Promise<void> {
  while (!transcript.lines.some(wanted)) await turn();
}

/** Closes the transports, and lets time pass until they are closed. */
export async function closed(
  clock: ManualClock,
  ...transports: { close(): Promise<void> }[]
): Promise<void> {
  let done = false;
  const all = Promise.all(transports.map((transport) => transport.close())).then(() => {
    done = true;
  });
  while (!done) {
    await turn();
    clock.advance(500);
  }
  await all;
}

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
