// Runs attacks as tests: short, from this very process, and judged by memory, counts and answers,
// never by times.

import type { TestFn } from 'ava';
import { ATTACKS } from '../all-attacks.ts';
import { type Attack, AttackRun, carrierOf } from '../attack.ts';
import type { Carrier } from '../carriers.ts';
import { Child } from '../child.ts';
import { issueCredentials, type RunCredentials } from '../credentials.ts';
import { countedFlawsOf, isOfMemory } from '../outcome.ts';
import { settle } from '../settle.ts';
import type { VictimCommand, VictimOptions, VictimReport } from '../victim.ts';
import { SMALL_HEAP } from '../warm-up.ts';

type Victim = Child<VictimCommand, VictimReport>;

/**
 * Makes a test for each attack that `wanted` picks, on the carrier of its row in the report.
 * Attacks on a victim with default options share one for each carrier.
 */
export function attackTests(test: TestFn, wanted: (attack: Attack) => boolean): void {
  let credentials: Promise<RunCredentials> | undefined;
  const shared = new Map<Carrier, Promise<Victim>>();

  async function start(carrier: Carrier, options: VictimOptions): Promise<Victim> {
    credentials ??= issueCredentials();
    const victim: Victim = new Child('victim', { flags: SMALL_HEAP });
    await victim.ask({
      do: 'start',
      carrier,
      credentials: await credentials,
      options,
      memory: 0,
    });
    return victim;
  }

  function sharedOn(carrier: Carrier): Promise<Victim> {
    const victim = shared.get(carrier) ?? start(carrier, {});
    shared.set(carrier, victim);
    return victim;
  }

  async function judge(attack: Attack, carrier: Carrier, victim: Victim): Promise<string[]> {
    const base = await victim.ask({ do: 'mark' });
    const { attacker, stranger } = await credentials!;
    const run = new AttackRun(
      { carrier, host: base.host, port: base.port, ...attacker, stranger },
      { rounds: attack.rounds ?? 1 },
    );
    const answer = await attack.run(run).finally(() => run.close());
    const after = victim.isAlive ? await settle(() => victim.ask({ do: 'look' }), base) : undefined;
    return countedFlawsOf({ attack, answer, base, after });
  }

  for (const attack of ATTACKS.filter(wanted)) {
    const carrier = carrierOf(attack);
    const run = OPEN.has(attack.name) ? test.skip : test.serial;
    run(`over ${carrier} a peer ${attack.title}`, async (t) => {
      const options = attack.shortVictim ?? attack.victim;
      const victim = await (options === undefined ? sharedOn(carrier) : start(carrier, options));
      if (options !== undefined) t.teardown(() => victim.kill());
      let flaws = await judge(attack, carrier, victim);
      // Tries again, because late-collected garbage is unlikely to show up twice.
      if (flaws.some(isOfMemory)) flaws = await judge(attack, carrier, victim);
      t.deepEqual(flaws, []);
      if (options !== undefined)
        t.true(await victim.close(), 'the victim ends by itself when it is let go of');
    });
  }

  test.after.always('the victims end', async () => {
    for (const victim of shared.values()) await (await victim).close();
  });
}

/** Whether an attack repeats a single message, and needs no victim of its own. */
export function isShort({ isBrief, isSlow, isHeavy, victim, shortVictim }: Attack): boolean {
  return (
    isBrief === true &&
    isSlow !== true &&
    isHeavy !== true &&
    victim === undefined &&
    shortVictim === undefined
  );
}

/** Attacks that are not stopped yet. */
const OPEN: ReadonlySet<string> = new Set<string>();
