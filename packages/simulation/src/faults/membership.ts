// The faults `remove` and `add`: the scenario itself takes nodes out of its group and puts them back.

/** The functions of a scenario that change its group of nodes. */
export interface MembershipFunctions {
  /** Puts a node back into the group. */
  readonly add: (node: string) => unknown;
  /** Takes a node out of the group. */
  readonly remove: (node: string) => unknown;
}

/** The nodes that faults have taken out of the group of a scenario. */
export class Membership {
  readonly #removed = new Set<string>();
  #functions: MembershipFunctions | undefined;

  /**
   * Uses the functions of a scenario from now on.
   *
   * @throws TypeError unless both are functions.
   */
  use(functions: MembershipFunctions): void {
    if (typeof functions?.add !== 'function' || typeof functions.remove !== 'function')
      throw new TypeError('membership: give two functions { add, remove }');
    this.#functions = functions;
  }

  /**
   * Changes the group; does nothing if the node is in the group or out of it already.
   *
   * @throws TypeError if `use` was not called before.
   */
  change(what: 'add' | 'remove', node: string): void {
    if (this.#functions === undefined)
      throw new TypeError(
        `fault '${what}': the scenario does not say how: call sim.membership({ add, remove }) before it`,
      );
    if (this.#removed.has(node) === (what === 'remove')) return;
    if (what === 'remove') this.#removed.add(node);
    else this.#removed.delete(node);
    this.#functions[what](node);
  }

  /** Puts all nodes back. */
  recover(): void {
    for (const node of [...this.#removed]) this.change('add', node);
  }
}
