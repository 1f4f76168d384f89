// A testbed of three processes that measures the effect of one attack at a time: a victim, an
// honest peer that measures, and an attacker.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Attack, BANNED, type Effort } from './attack.ts';
import type { AttackerCommand, AttackerReport } from './attacker.ts';
import type { Carrier, Target } from './carriers.ts';
import { Child } from './child.ts';
import type { RunCredentials } from './credentials.ts';
import type { HonestCommand, HonestReport } from './honest.ts';
import { flawsOf, heldUp, isOfRatio, type Outcome, p99Of, type Quantity } from './outcome.ts';
import { settle } from './settle.ts';
import type { SinkReport } from './sink.ts';
import type { VictimCommand, VictimOptions, VictimReport } from './victim.ts';
import { COMPILING, FAST_HEAP, KEPT, SMALL_HEAP } from './warm-up.ts';

export interface TestbedOptions {
  readonly carrier: Carrier;
  readonly credentials: RunCredentials;
  readonly victim: VictimOptions;
  /** Bytes by which the limits let the victim's memory grow. */
  readonly memory: number;
  readonly quantity: Quantity;
  /**
   * The core of the victim, and the core of the honest peer and the attacker; undefined for any.
   */
  readonly cores: readonly [string | undefined, string | undefined];
}

/** The extent of an attack: rounds that alternate between its control and the attack. */
export interface Extent {
  readonly rounds: number;
  /**
   * Milliseconds of the first control, in which nobody attacks; 0 for no controls. In the others, the
   * attacker sends as many bytes as in the round before to a sink, for as long as in an attack.
   */
  readonly quiet: number;
  readonly effort: Effort;
}

export class Testbed {
  readonly #carrier: Carrier;
  readonly #quantity: Quantity;
  readonly #victim: Child<VictimCommand, VictimReport>;
  readonly #honest: Child<HonestCommand, HonestReport>;
  readonly #attacker: Child<AttackerCommand, AttackerReport>;
  /** The sink of controls, which shares the victim's core and yields like the attacker. */
  readonly #sink: Child<object, SinkReport>;
  #sinkPort = 0;
  #target: Target | undefined;

  private constructor({ carrier, quantity, cores }: TestbedOptions) {
    this.#carrier = carrier;
    this.#quantity = quantity;
    const kind = quantity === 'memory' ? { flags: SMALL_HEAP } : { flags: FAST_HEAP, env: KEPT };
    this.#victim = new Child('victim', { core: cores[0], ...kind });
    this.#honest = new Child('honest', { core: cores[1] });
    this.#attacker = new Child('attacker', { core: cores[1], yields: true });
    this.#sink = new Child('sink', { core: cores[0], yields: true });
  }

  /** Starts all three. */
  static async open(options: TestbedOptions): Promise<Testbed> {
    const testbed = new Testbed(options);
    try {
      await testbed.#start(options);
      return testbed;
    } catch (error) {
      await testbed.close();
      throw error;
    }
  }

  /**
   * Runs the rounds of an attack. Ends early if a condition is violated, unless it is that of the
   * honest peer's times, which all rounds decide together. An attack that waits for a deadline of
   * the victim also needs fewer rounds, because each lasts longer.
   */
  async attack(attack: Attack, { rounds, quiet, effort }: Extent): Promise<Outcome> {
    const control: HonestReport[] = [];
    const during: HonestReport[] = [];
    let worst: Outcome | undefined;
    let lasted = 0;
    for (let round = 0; round < rounds; round++) {
      if (quiet > 0)
        control.push(
          round === 0 || !('milliseconds' in effort)
            ? await this.#measure(quiet)
            : await this.#controlled(effort.milliseconds),
        );
      const base = await this.#victim.ask({ do: 'mark' });
      const begin = performance.now();
      const attacked = this.#attacked(attack, effort);
      if (round === 0 && rounds > 1) await sleep(COMPILING);
      await this.#honest.ask({ do: 'measure' });
      const told = await attacked;
      lasted += performance.now() - begin;
      const answer = told === BANNED ? (worst?.answer ?? told) : told;
      during.push(await this.#honest.ask({ do: 'stop' }));
      const after = await this.#settled(base);
      const outcome: Outcome = {
        attack: attack.name,
        carrier: this.#carrier,
        growth: Math.max(
          worst?.growth ?? 0,
          after === undefined ? Number.NaN : after.peak - base.rss,
        ),
        bound: attack.memory ?? 0,
        control: p99Of(control),
        during: p99Of(during),
        delay: Math.max(worst?.delay ?? 0, after?.delay ?? Number.NaN),
        busy: Math.max(worst?.busy ?? 0, after === undefined ? Number.NaN : heldUp(after)),
        answer,
        flaws: flawsOf(
          { attack, carrier: this.#carrier, answer, base, after, control, during },
          this.#quantity,
        ),
      };
      worst = outcome;
      if (after === undefined || outcome.flaws.some((flaw) => !isOfRatio(flaw))) break;
      if ('milliseconds' in effort && lasted >= rounds * effort.milliseconds) break;
    }
    return worst!;
  }

  /**
   * Runs the attack, and returns how the victim answered. An attacker that waits in vain is killed,
   * so that it doesn't hold up the other attacks.
   */
  async #attacked(attack: Attack, effort: Effort): Promise<string> {
    const tooLong = setTimeout(() => this.#attacker.kill(), LONGEST);
    try {
      const target = this.#target!;
      return (await this.#attacker.ask({ do: 'attack', attack: attack.name, target, effort }))
        .answer;
    } catch (error) {
      return `failed: ${(error as Error).message.split('\n')[0]}`;
    } finally {
      clearTimeout(tooLong);
    }
  }

  /** Measures honest calls while the attacker sends the bytes of its last attack to a sink. */
  async #controlled(milliseconds: number): Promise<HonestReport> {
    await this.#honest.ask({ do: 'measure' });
    const tooLong = setTimeout(() => this.#attacker.kill(), LONGEST);
    await this.#attacker.ask({ do: 'replay', port: this.#sinkPort, milliseconds }).catch(() => {});
    clearTimeout(tooLong);
    return this.#honest.ask({ do: 'stop' });
  }

  /** Returns the victim's report when nothing of the attack is left; undefined if it died. */
  async #settled(base: VictimReport): Promise<VictimReport | undefined> {
    if (!this.#victim.isAlive) return undefined;
    return settle(() => this.#victim.ask({ do: 'look' }), base).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#attacker.kill();
    this.#sink.kill();
    await this.#honest.close();
    await this.#victim.close();
  }

  async #start({ carrier, credentials, victim, memory, quantity }: TestbedOptions): Promise<void> {
    const { host, port, address } = await this.#victim.ask({
      do: 'start',
      carrier,
      credentials,
      options: victim,
      memory,
    });
    this.#target = { carrier, host, port, ...credentials.attacker, stranger: credentials.stranger };
    await this.#honest.ask({ do: 'start', carrier, credentials, address });
    await this.#honest.ask({ do: 'warm' });
    if (quantity !== 'times') return;
    this.#sinkPort = (await this.#sink.ask({})).port;
    await this.#measure(SETTLING);
  }

  async #measure(milliseconds: number): Promise<HonestReport> {
    await this.#honest.ask({ do: 'measure' });
    await sleep(milliseconds);
    return this.#honest.ask({ do: 'stop' });
  }
}

/** Milliseconds of calls that are not counted, after the warm-up. */
const SETTLING = 1_500;
/** Milliseconds after which an attack has failed. */
const LONGEST = 120_000;
