// A testbed of three processes that measures the effect of one attack at a time: a victim, an
// honest peer that measures, and an attacker.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, Effort } from './attack.ts';
import type { AttackerCommand, AttackerReport } from './attacker.ts';
import type { Carrier, Target } from './carriers.ts';
import { Child } from './child.ts';
import type { RunCredentials } from './credentials.ts';
import type { HonestCommand, HonestReport } from './honest.ts';
import { flawsOf, heldUp, type Outcome, type Quantity } from './outcome.ts';
import { settle } from './settle.ts';
import type { VictimCommand, VictimOptions, VictimReport } from './victim.ts';
import { FAST_HEAP, SMALL_HEAP } from './warm-up.ts';

export interface TestbedOptions {
  readonly carrier: Carrier;
  readonly credentials: RunCredentials;
  readonly victim: VictimOptions;
  readonly quantity: Quantity;
  /** Milliseconds that the honest peer measures before the first attack. */
  readonly quiet: number;
  /**
   * The core of the victim, and the core of the honest peer and the attacker; undefined for any.
   */
  readonly cores: readonly [string | undefined, string | undefined];
}

export class Testbed {
  readonly #carrier: Carrier;
  readonly #quantity: Quantity;
  readonly #victim: Child<VictimCommand, VictimReport>;
  readonly #honest: Child<HonestCommand, HonestReport>;
  readonly #attacker: Child<AttackerCommand, AttackerReport>;
  #target: Target | undefined;
  #before: HonestReport | undefined;

  private constructor({ carrier, quantity, cores }: TestbedOptions) {
    this.#carrier = carrier;
    this.#quantity = quantity;
    const flags = quantity === 'memory' ? SMALL_HEAP : FAST_HEAP;
    this.#victim = new Child('victim', { core: cores[0], flags });
    this.#honest = new Child('honest', { core: cores[1] });
    this.#attacker = new Child('attacker', { core: cores[1], yields: true });
  }

  /** Starts all three, and measures the honest peer's calls while nobody attacks. */
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

  async attack(attack: Attack, effort: Effort): Promise<Outcome> {
    const victim = this.#victim;
    const base = await victim.ask({ do: 'mark' });
    await this.#honest.ask({ do: 'measure' });
    const attacked = this.#attacker.ask({ attack: attack.name, target: this.#target!, effort });
    const { answer } = await attacked.catch((error: Error) => ({
      answer: `failed: ${error.message.split('\n')[0]}`,
    }));
    const during = await this.#honest.ask({ do: 'stop' });
    const after = victim.isAlive
      ? await settle(() => victim.ask({ do: 'look' }), base).catch(() => undefined)
      : undefined;
    const measured = {
      attack,
      carrier: this.#carrier,
      answer,
      base,
      after,
      before: this.#before!,
      during,
    };
    return {
      attack: attack.name,
      carrier: this.#carrier,
      growth: after === undefined ? Number.NaN : after.peak - base.rss,
      bound: attack.memory ?? 0,
      before: this.#before!.p99,
      during: during.p99,
      delay: after?.delay ?? Number.NaN,
      busy: after === undefined ? Number.NaN : heldUp(after),
      answer,
      flaws: flawsOf(measured, this.#quantity),
    };
  }

  async close(): Promise<void> {
    this.#attacker.kill();
    await this.#honest.close();
    await this.#victim.close();
  }

  async #start({ carrier, credentials, victim, quiet }: TestbedOptions): Promise<void> {
    const { host, port, address } = await this.#victim.ask({
      do: 'start',
      carrier,
      credentials,
      options: victim,
    });
    this.#target = { carrier, host, port, ...credentials.attacker, stranger: credentials.stranger };
    await this.#honest.ask({ do: 'start', carrier, credentials, address });
    await this.#honest.ask({ do: 'warm' });
    await this.#measure(quiet / 2);
    this.#before = await this.#measure(quiet);
  }

  async #measure(milliseconds: number): Promise<HonestReport> {
    await this.#honest.ask({ do: 'measure' });
    await sleep(milliseconds);
    return this.#honest.ask({ do: 'stop' });
  }
}
