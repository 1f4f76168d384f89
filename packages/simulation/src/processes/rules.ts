// The rules of a scenario: conditions that must always hold, or that must become true after all
// faults are over.

/** The time and the calm period by which rules are checked. */
export interface RuleSetting {
  readonly now: number;
  /** The time since which nothing has been wrong; undefined while something is. */
  readonly calmSince: number | undefined;
  /** Creates the error of a broken rule. */
  error(rule: string, what: string): Error;
}

/** All rules of a run. */
export class Rules {
  readonly #setting: RuleSetting;
  readonly #checks = new Set<() => void>();

  constructor(setting: RuleSetting) {
    this.#setting = setting;
  }

  /** Throws the error of the first rule that is broken. */
  check(): void {
    for (const check of this.#checks) check();
  }

  /** Adds a rule that must always hold. Returns a function that removes it. */
  always(name: string, holds: () => unknown): () => void {
    return this.#add(() => {
      const broken = brokenBy(holds);
      if (broken !== undefined) throw this.#setting.error(name, broken);
    });
  }

  /**
   * Adds a rule that must become true within `within` milliseconds each time that all faults have
   * ended. Returns a function that removes it.
   */
  eventually(name: string, holds: () => unknown, within: number): () => void {
    let met: number | undefined;
    return this.#add(() => {
      const { now, calmSince } = this.#setting;
      if (calmSince === undefined || calmSince === met) return;
      const broken = brokenBy(holds);
      if (broken === undefined) met = calmSince;
      else if (now - calmSince > within)
        throw this.#setting.error(name, `${broken}, ${within} ms after the last fault was healed`);
    });
  }

  #add(check: () => void): () => void {
    this.#checks.add(check);
    return () => void this.#checks.delete(check);
  }
}

function brokenBy(holds: () => unknown): string | undefined {
  try {
    return holds() === false ? 'it does not hold' : undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
