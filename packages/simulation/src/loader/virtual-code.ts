// Code that loaded code makes at run time: `eval` and `new Function` with the globals of a node.

import { compileFunction } from 'node:vm';
import { type CODE, PARAMETERS, transformScript } from './transform.ts';

/** The globals and the import function that code made at run time gets from its node. */
export interface CodeScope {
  readonly names: readonly string[];
  /** Returns the values of `names`. */
  values(): readonly unknown[];
  /** Returns the `import()` of the file that makes the code. */
  importer(): (specifier: string) => Promise<unknown>;
  readonly globalThis: object;
  /** The virtual versions of real classes. */
  readonly classes: Map<unknown, unknown>;
}

/** Creates the parts of the scope of a node that `transform.ts` and code made at run time need. */
export function virtualCode(scope: CodeScope): {
  readonly Function: unknown;
  readonly eval: (code: unknown) => unknown;
  readonly code: Readonly<Record<(typeof CODE)[number], unknown>>;
} {
  const run = (source: string, ...args: readonly unknown[]): unknown =>
    compileFunction(source, [...scope.names, PARAMETERS[2], EVALUATED]).call(
      scope.globalThis,
      ...scope.values(),
      scope.importer(),
      ...args,
    );
  const sourceOf = (...code: readonly unknown[]) => {
    const last = code.at(-1);
    return typeof last === 'string' ? transformScript(last) : last;
  };
  const indirectEval = (code: unknown): unknown =>
    typeof code === 'string' ? run(`return eval(${EVALUATED})`, transformScript(code)) : code;
  const make = (real: any, args: readonly unknown[]): object =>
    // The real function checks the syntax of the parameters and of the body.
    run(transformScript(`return ${String(Reflect.construct(real, args))}`)) as object;
  for (const real of FUNCTIONS) {
    const virtual: unknown = new Proxy(real as any, {
      apply: (_, __, args) => make(real, args),
      construct(_, args, newTarget) {
        const made = make(real, args);
        if (newTarget !== virtual) Object.setPrototypeOf(made, newTarget.prototype);
        return made;
      },
    });
    scope.classes.set(real, virtual);
  }
  const thisOf = (value: unknown) => (value === globalThis ? scope.globalThis : value);
  const code = {
    __trunklineEval: indirectEval,
    __trunklineSource: sourceOf,
    __trunklineThis: thisOf,
    __trunklineClass: (value: unknown) => scope.classes.get(value) ?? value,
  };
  return { Function: scope.classes.get(Function), eval: indirectEval, code };
}

/** The classes whose constructors make code. */
const FUNCTIONS: readonly unknown[] = [
  Function,
  (async () => {}).constructor,
  function* () {}.constructor,
  async function* () {}.constructor,
];
const EVALUATED = '__trunklineEvaluated';
