// Runs rounds of a quiet part and one part for each attack; ticks with and without a peer that
// never reads; and a server with too few file descriptors.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { AttackerCommand, AttackerReport } from './attacker.ts';
import type { Attack } from './attacks.ts';
import type { HonestCommand, HonestReport, Times } from './honest.ts';
import type { Dialed, ServerCommand, ServerReport, ServerState } from './server.ts';

export interface Part {
  readonly honest: Times;
  readonly server: ServerState;
  /** Requests, cancelled calls or connections of the attacker a second. */
  readonly rate: number;
  /** Bytes by which the server's memory has grown since before the first attack. */
  readonly grown: number;
}

export interface Round {
  readonly parts: ReadonlyMap<'quiet' | Attack, Part>;
  /** Times of ticks to 99 peers, and to 99 peers and one that never reads. */
  readonly ticks: { readonly alone: Times; readonly withSlow: Times };
}

export interface FewFiles {
  readonly honest: Times;
  readonly quiet: Times;
  readonly server: ServerState;
  /** Milliseconds that a newcomer takes once the files are free again. */
  readonly newcomer: number;
  readonly dialed: Dialed;
}

export interface Plan {
  readonly rounds: number;
  /** The length of a part in milliseconds. */
  readonly window: number;
  readonly attacks: readonly Attack[];
}

type Progress = (what: string, done: number) => void;

export async function runRounds(
  { rounds, window, attacks }: Plan,
  progress: Progress,
): Promise<Round[]> {
  return withPeers({ args: ['8'] }, async ({ server, honest, attacker }) => {
    await honest.run({ receivers: 99 });
    await honest.run({ calls: window });
    const { rss } = (await server.run({ state: true })).state!;
    const done: Round[] = [];
    const kinds = ['quiet', ...attacks] as const;
    for (let number = 0; number < rounds; number++) {
      const parts = new Map<'quiet' | Attack, Part>();
      for (let at = 0; at < kinds.length; at++) {
        const kind = kinds[(at + number) % kinds.length]!;
        progress(
          `round ${number + 1} of ${rounds}: ${kind}`,
          (number * kinds.length + at) / (rounds * kinds.length),
        );
        await server.run({ state: true });
        const attack =
          kind === 'quiet'
            ? Promise.resolve({ rate: 0 })
            : attacker.run({ attack: { kind, milliseconds: window } });
        attack.catch(() => {}); // Avoids an unhandled rejection; the promise is awaited below.
        const { times } = await honest.run({ calls: window });
        const { state } = await server.run({ state: true });
        parts.set(kind, {
          honest: times!,
          server: state!,
          rate: (await attack).rate!,
          grown: state!.rss - rss,
        });
        await sleep(SETTLING);
      }
      const listen = async () => {
        await honest.run({ tickTimes: true });
        await server.run({ ticks: window });
        return (await honest.run({ tickTimes: true })).times!;
      };
      progress(`round ${number + 1} of ${rounds}: one slow peer among 100`, (number + 1) / rounds);
      await server.run({ ticks: window / 3 });
      const alone = async () => listen();
      const withSlow = async () => {
        await attacker.run({ slow: 'begin' });
        const times = await listen();
        await attacker.run({ slow: 'end' });
        await sleep(SETTLING);
        return times;
      };
      // The two take turns in coming first, so that a machine that warms up or slows down favors
      // neither.
      const ticks =
        number % 2 === 0
          ? { alone: await alone(), withSlow: await withSlow() }
          : { withSlow: await withSlow(), alone: await alone() };
      done.push({ parts, ticks });
    }
    return done;
  });
}

/**
 * Attacks a server that may have only 256 files open: a peer holds more connections than that, and
 * then the server itself dials as many.
 */
export async function runFewFiles({ window }: Plan): Promise<FewFiles> {
  const node = fileURLToPath(new URL('../../hostile/few-files', import.meta.url));
  return withPeers({ node }, async ({ server, honest, attacker }) => {
    const { times: quiet } = await honest.run({ calls: window });
    await server.run({ state: true });
    const holding = attacker.run({ hold: { count: 400, milliseconds: window } });
    holding.catch(() => {}); // Avoids an unhandled rejection; the promise is awaited below.
    const { times } = await honest.run({ calls: window });
    await holding;
    const { newcomer } = await honest.run({ newcomer: true });
    // Asked only now, because a process without free files cannot read its own memory either.
    const { state } = await server.run({ state: true });
    await sleep(SETTLING);
    const target = await start<ServerCommand, ServerReport>({
      name: 'the target',
      script: './hostile/server.js',
    });
    try {
      const { dialed } = await server.run({
        dial: { address: target.report.address!, count: 400 },
      });
      return {
        quiet: quiet!,
        honest: times!,
        server: state!,
        newcomer: newcomer!,
        dialed: dialed!,
      };
    } finally {
      target.child.kill();
    }
  });
}

interface Peers {
  readonly server: Child<ServerCommand, ServerReport>;
  readonly honest: Child<HonestCommand, HonestReport>;
  readonly attacker: Child<AttackerCommand, AttackerReport>;
}

const start = Child.start;

/**
 * Starts server, honest peers and attacker. With only two cores, server and honest peers share one,
 * so that the attacker's own work does not delay them.
 */
async function withPeers<T>(
  options: { readonly args?: readonly string[]; readonly node?: string },
  run: (peers: Peers) => Promise<T>,
): Promise<T> {
  const [first, second, third] = cores;
  const children: { kill(): void }[] = [];
  try {
    const server = await start<ServerCommand, ServerReport>({
      name: 'the server',
      script: './hostile/server.js',
      core: first,
      ...options,
    });
    children.push(server.child);
    const args = [server.report.address!];
    const honest = await start<HonestCommand, HonestReport>({
      name: 'the honest peers',
      script: './hostile/honest.js',
      args,
      core: third ?? first,
    });
    children.push(honest.child);
    const attacker = await start<AttackerCommand, AttackerReport>({
      name: 'the attacker',
      script: './hostile/attacker.js',
      args,
      core: second,
    });
    children.push(attacker.child);
    return await run({ server: server.child, honest: honest.child, attacker: attacker.child });
  } finally {
    for (const child of children) child.kill();
  }
}

/** Milliseconds until the server has seen the connections of a part end. */
const SETTLING = 500;
