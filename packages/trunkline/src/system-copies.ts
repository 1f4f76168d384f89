// Recognizes a second copy of this package in the process.

/**
 * Warns if another copy of this package has called this function in this process, because the two
 * copies do not share a memory network. Call it only once in each copy: it can't tell a second call
 * from another copy.
 */
export function warnOfCopies(): void {
  const scope = globalThis as { [MARK]?: true };
  if (scope[MARK] === undefined) scope[MARK] = true;
  else
    console.warn(
      "trunkline: this process has two copies of the package 'trunkline', and addresses such as inmem://a of one copy do not exist in the other; install one version for all",
    );
}

const MARK: unique symbol = Symbol.for('trunkline.default-backends') as never;
