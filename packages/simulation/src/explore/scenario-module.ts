// Loads a scenario from a separate module, as workers need it.

import { brokenSearch } from './failure.ts';
import type { RunnerOptions, Scenario } from './local-runner.ts';
import { importModule } from './runtime.ts';

/**
 * The exports of a scenario's module. `nemesis`, `profiles` and `options` are defaults for the
 * options of `explore`.
 */
export interface ScenarioModule {
  readonly default: Scenario;
  readonly nemesis?: RunnerOptions['nemesis'];
  readonly profiles?: RunnerOptions['profiles'];
  readonly options?: Pick<RunnerOptions, 'level' | 'link' | 'disk' | 'strict'>;
}

/**
 * Imports a scenario, and merges the options of its module with the given ones. Rejects with an
 * error that names the URL if the module does not load or exports no scenario.
 */
export async function loadScenario(
  url: string,
  given: RunnerOptions,
): Promise<{ readonly scenario: Scenario; readonly options: RunnerOptions }> {
  let module: Partial<ScenarioModule>;
  try {
    module = await importModule(url);
  } catch (error) {
    throw brokenSearch(`the module ${url} failed to load`, error);
  }
  if (typeof module.default !== 'function')
    throw new TypeError(
      `explore: scenario: the default export of the module ${url} must be a scenario, a function`,
    );
  const { nemesis, profiles } = module;
  const options: Record<string, unknown> = { nemesis, profiles, ...module.options };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) options[key] = value;
  return { scenario: module.default, options: options as unknown as RunnerOptions };
}
