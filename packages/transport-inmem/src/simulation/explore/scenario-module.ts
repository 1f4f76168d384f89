// A scenario in a module of its own, as workers need it.

import { brokenSearch } from './failure.ts';
import { importModule } from './host.ts';
import type { LabOptions, Scenario } from './lab.ts';

/** What the module of a scenario exports. `nemesis` and `options` are for what explore itself is given none of. */
export interface ScenarioModule {
  readonly default: Scenario;
  readonly nemesis?: LabOptions['nemesis'];
  readonly options?: Pick<LabOptions, 'level' | 'link' | 'disk' | 'strict'>;
}

/** Rejects, naming the URL, where it does not load or has no scenario. */
export async function loadScenario(url: string, given: LabOptions): Promise<{ readonly scenario: Scenario; readonly options: LabOptions }> {
  let module: Partial<ScenarioModule>;
  try {
    module = await importModule(url);
  } catch (error) {
    throw brokenSearch(`the module ${url} does not load`, error);
  }
  if (typeof module.default !== 'function') throw new TypeError(`explore: scenario: the module ${url} must have a scenario, a function, as its default export`);
  const options: Record<string, unknown> = { nemesis: module.nemesis, ...module.options };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) options[key] = value;
  return { scenario: module.default, options: options as unknown as LabOptions };
}
