// The input and output of the scenarios of the evaluation.

/** The input of a scenario. */
export interface ScenarioOptions {
  readonly seed: number;
  /** Number of nodes; the default is the paper's, or one that fits the attack. */
  readonly nodes?: number | undefined;
  /**
   * Number of cycles in which the overlay settles at first (default 50), or number of cycles with
   * churn (default 100).
   */
  readonly cycles?: number | undefined;
  /** Share of the nodes that fail. */
  readonly share?: number | undefined;
  /** Number of entries in each node's address book. */
  readonly book?: number | undefined;
  /** The variant of the scenario. */
  readonly how?: string | undefined;
  readonly log?: ((text: string) => void) | undefined;
}

/** Figures by their names. The doc comment of each scenario explains them. */
export type Figures = Readonly<Record<string, number>>;

/** An experiment that returns its figures. */
export type Scenario = (options: ScenarioOptions) => Figures | Promise<Figures>;
