// Tests the table of production dependencies, and the rules that they must obey. Run by
// `test workspace`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { flaws, ownFlaws, productionDependencies, renewed } from './dependencies.mjs';
import { root } from './workspace.mjs';

test('no production dependency runs a script when it is installed, each has a license of the list, and the table names them all', (t) => {
  const dependencies = productionDependencies();
  t.true(dependencies.some(({ name }) => name === 'ws'));
  t.deepEqual([...ownFlaws(), ...flaws(dependencies)], []);
  const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
  t.is(renewed(page, dependencies), page, 'run node scripts/dependencies.mjs');
});

test('a dependency with another license, or with a script of its installation, is named', (t) => {
  const one = { name: 'a', version: '1.0.0', owners: new Set(['x']) };
  t.regex(
    flaws([{ ...one, license: 'GPL-3.0', scripts: [] }])[0],
    /a@1\.0\.0 has the license 'GPL-3\.0'/,
  );
  t.regex(
    flaws([{ ...one, license: 'MIT', scripts: ['postinstall'] }])[0],
    /a@1\.0\.0 runs postinstall/,
  );
  t.throws(() => renewed('a page without a table\n', []), { message: /has no '<!-- dependencies/ });
});
