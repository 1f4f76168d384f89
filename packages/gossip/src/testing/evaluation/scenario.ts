// What a scenario of the evaluation is given, and what it gives.

export interface ScenarioOptions {
  readonly seed: number;
  /** Default: the paper's, or the attack's own. */
  readonly nodes?: number | undefined;
  /** Cycles in which the overlay settles first (50), or cycles of churn (100). */
  readonly cycles?: number | undefined;
  /** Of the nodes, that fail. */
  readonly share?: number | undefined;
  /** Entries of each node's address book. */
  readonly book?: number | undefined;
  /** Which variant. */
  readonly how?: string | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** Figures by their names; the doc comments of each scenario say what they are. */
export type Figures = Readonly<Record<string, number>>;

export type Scenario = (options: ScenarioOptions) => Figures | Promise<Figures>;
