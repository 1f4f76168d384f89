// The attacker of `rapid-cancels`: a process that makes calls at a victim and cancels them. In turn,
// it sends the same bytes to a sink.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttackerConnection } from './attacker-connection.ts';
import type { Target } from './carriers.ts';
import { CHANNEL, Method } from './methods.ts';
import { serveCommands } from './parent-channel.ts';
import { concat, frame, Kind } from './wire.ts';

export type CancelerCommand =
  | { readonly do: 'start'; readonly target: Target }
  | { readonly do: 'attack' | 'sink'; readonly way: Way; readonly milliseconds: number };

export interface CancelerReport {
  /** How the victim answered last. */
  readonly answer: string;
}

/**
 * Cancels calls at the end of the same write, cancels those of the write before, or cancels those
 * whose handlers ignore their signals.
 */
export type Way = 'at-once' | 'later' | 'unheard';

let target: Target;
let attacker: AttackerConnection;
let sink: Socket;
let sinkServer: Server;

serveCommands<CancelerCommand, CancelerReport>(
  async (command) => {
    if (command.do === 'start') await start(command.target);
    else await flood(writesOf(command.way), command.milliseconds, SENDERS[command.do]);
    return { answer: attacker.outcome() };
  },
  () => {
    attacker.destroy();
    sink.destroy();
    sinkServer.close();
  },
);

async function start(victim: Target): Promise<void> {
  target = victim;
  attacker = await AttackerConnection.admitted(target);
  sinkServer = createServer((socket) => socket.resume().on('error', () => {}));
  await once(sinkServer.listen(0, '127.0.0.1'), 'listening');
  sink = connect((sinkServer.address() as AddressInfo).port, '127.0.0.1');
}

const SENDERS = {
  async attack(bytes: Uint8Array): Promise<void> {
    if (attacker.isOver) attacker = await AttackerConnection.admitted(target);
    await attacker.push(bytes);
  },
  async sink(bytes: Uint8Array): Promise<void> {
    if (!sink.write(bytes)) await once(sink, 'drain');
  },
};

/** Sends `RATE` calls a second. */
async function flood(
  writes: readonly Uint8Array[],
  milliseconds: number,
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const begin = performance.now();
  for (let sent = 0; performance.now() - begin < milliseconds; sent++) {
    await send(writes[sent % writes.length]!);
    const ahead = ((sent * AT_ONCE) / RATE) * 1_000 - (performance.now() - begin);
    if (ahead > 1) await sleep(ahead);
  }
}

/** Returns some writes. Their ids return when the calls have long been canceled. */
function writesOf(way: Way): readonly Uint8Array[] {
  const method = way === 'unheard' ? Method.unheeding : Method.hold;
  const idsOf = (write: number) =>
    Array.from({ length: AT_ONCE }, (_, at) => 2 * (write * AT_ONCE + at) + 1);
  return Array.from({ length: WRITES }, (_, write) =>
    concat(
      ...idsOf(write).map((id) => frame({ kind: Kind.request, id, channel: CHANNEL, method })),
      ...idsOf(way === 'at-once' ? write : (write + WRITES - 1) % WRITES).map((id) =>
        frame({ kind: Kind.cancel, id }),
      ),
    ),
  );
}

const RATE = 100_000;
const AT_ONCE = 500;
const WRITES = 40;
