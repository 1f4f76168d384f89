// The interface of an attack, and the run of one attack against a target.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttackerConnection } from './attacker-connection.ts';
import { CARRIERS, type Carrier, openSocket, type Target } from './carriers.ts';
import type { VictimOptions } from './victim.ts';
import type { HelloFields } from './wire.ts';

export interface Attack {
  readonly name: string;
  /** A description of what the attacker does. */
  readonly title: string;
  /** The cases of docs/faults.md that the attack tests. */
  readonly cases: readonly number[];
  /**
   * The carriers that it can run on: on the first of them unless others are asked for. Default: all
   * of `CARRIERS`.
   */
  readonly carriers?: readonly Carrier[];
  /** Bytes by which the documented limits let the victim's memory grow. Default 0. */
  readonly memory?: number;
  /** The expected answer of the victim, as `run` returns it. */
  readonly answer: RegExp;
  /** Options in which the victim differs from the defaults. */
  readonly victim?: VictimOptions;
  /** The same for a short run, if the attack would take too long with the defaults. */
  readonly shortVictim?: VictimOptions;
  /**
   * The attack repeats a single message, so it needs little time, and the next attack may use the
   * same victim.
   */
  readonly isBrief?: boolean;
  /**
   * Bounds the 99th percentile of the honest peer's calls by milliseconds instead of by a ratio,
   * and tells why it may be so long.
   */
  readonly bound?: TimeBound;
  /** Rounds of a short run. Default 1. */
  readonly rounds?: number;
  /**
   * The attack lasts as long as a deadline of the victim, so the tests of a commit leave it out.
   */
  readonly isSlow?: boolean;
  /** Even a short run sends tens of megabytes, so the tests of a commit leave it out. */
  readonly isHeavy?: boolean;
  /**
   * Attacks until `run.goesOn()` is false. Returns how the victim answered, or `BANNED` if it
   * refused every hello because of an earlier run.
   */
  run(run: AttackRun): Promise<string>;
}

export interface TimeBound {
  readonly milliseconds: number;
  /** The same on TLS and on WebSocket over TLS. Default: `milliseconds`. */
  readonly overTls?: number;
  readonly reason: string;
}

/** Returns the carrier of an attack's row in the report. */
export function carrierOf({ carriers = CARRIERS }: Pick<Attack, 'carriers'>): Carrier {
  return carriers[0]!;
}

/** The answer of a run whose attacker the victim has banned, so that it could not attack. */
export const BANNED = 'banned';

/** The length of an attack: a number of rounds, or milliseconds. */
export type Effort = { readonly rounds: number } | { readonly milliseconds: number };

/** One run of an attack: its target, its duration, and the connections that it opened. */
export class AttackRun {
  readonly target: Target;
  /** Connections to clean up. */
  readonly #sockets: Socket[] = [];
  readonly #effort: Effort;
  readonly #begin = performance.now();
  #rounds = 0;
  #bytes = 0;

  constructor(target: Target, effort: Effort) {
    this.target = target;
    this.#effort = effort;
  }

  /** Tells whether the run counts rounds instead of time. */
  get isShort(): boolean {
    return 'rounds' in this.#effort;
  }

  /** Tells whether another round may begin. */
  goesOn(): boolean {
    const effort = this.#effort;
    return 'rounds' in effort
      ? this.#rounds++ < effort.rounds
      : performance.now() - this.#begin < effort.milliseconds;
  }

  /** Keeps an attack at `rate` bytes a second; a short run does not wait. */
  async paced(bytes: number, rate: number): Promise<void> {
    this.#bytes += bytes;
    const ahead = (this.#bytes / rate) * 1_000 - (performance.now() - this.#begin);
    if (!this.isShort && ahead > 1) await sleep(ahead);
  }

  async socket(): Promise<Socket> {
    const socket = await openSocket(this.target);
    socket.on('error', () => {});
    this.#sockets.push(socket);
    return socket;
  }

  async connect(headers?: Readonly<Record<string, string>>): Promise<AttackerConnection> {
    return this.#kept(await AttackerConnection.connect(this.target, headers));
  }

  async admitted(fields: HelloFields = {}): Promise<AttackerConnection> {
    return this.#kept(await AttackerConnection.admitted(this.target, fields));
  }

  /** Opens `size` admitted connections. */
  async admittedMany(size: number, fields: HelloFields = {}): Promise<AttackerConnection[]> {
    const attackers: AttackerConnection[] = [];
    while (attackers.length < size) attackers.push(await this.admitted(fields));
    return attackers;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #kept(attacker: AttackerConnection): AttackerConnection {
    this.#sockets.push(attacker.socket);
    return attacker;
  }
}

/** One or more frames that an admitted peer sends before it waits for the answer. */
export interface MessageAttack {
  readonly name: string;
  readonly title: string;
  readonly cases: readonly number[];
  readonly answer: RegExp;
  readonly carriers?: readonly Carrier[];
  readonly isSlow?: boolean;
  readonly memory?: number;
  readonly victim?: VictimOptions;
  readonly bound?: TimeBound;
  /** Returns the bytes to send; a function that returns nothing sends them itself. */
  readonly message: (attacker: AttackerConnection) => Uint8Array | Promise<void>;
}

/** Creates an attack that repeats a message. Returns how the victim answered the last one. */
export function messageAttack({ message, ...rest }: MessageAttack): Attack {
  return {
    ...rest,
    isBrief: true,
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.admitted();
        const sent = message(attacker);
        if (sent instanceof Uint8Array) await attacker.push(sent);
        else await sent;
        await attacker.settled();
        // After a GO_AWAY the victim also ends the stream.
        if (attacker.goAway !== undefined) await attacker.over();
        answer = attacker.outcome();
        attacker.destroy();
        if (!run.isShort) await sleep(BREATH);
      }
      return answer;
    },
  };
}

/** Milliseconds between two repetitions. */
const BREATH = 20;
