import { explore } from '@trunkline/simulation';

// A function cannot cross into another thread, so the scenario is the default export of a module.
const { passed, failed } = await explore({
  seeds: 20,
  scenario: new URL('./search-scenario.js', import.meta.url),
  workers: 2,
});
console.log(passed, 'passed,', failed.length, 'failed');
