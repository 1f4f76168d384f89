// Writes the API report of each public entry of the packages into api/, and the help of the command
// line into docs/cli.md. With --check, compares the reports and fails on a difference, so that no
// public name or signature changes unnoticed. `pnpm api` accepts a change; check.mjs runs it, too.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { helpPage } from '../packages/cli/dist/help-page.js';
import { manifestOf, published, root, run } from './workspace.mjs';

const REPORTS = join(root, 'api');
/** The settings of API Extractor for all entries. */
const SETTINGS = JSON.parse(readFileSync(join(root, 'scripts/api-extractor.json'), 'utf8'));

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'trunkline-api-'));
  writeReports(fresh);
  const diff = ['diff', '--no-index', '--no-color', '--no-prefix', '--unified=1', REPORTS, fresh];
  const { code, output } = await run('git', diff, { capture: 'all' });
  rmSync(fresh, { recursive: true });
  if (code !== 0) {
    console.error(output.replace(/^(index|---|\+\+\+) .*\n/gm, ''));
    console.error('public declarations have changed: review the change, then run `pnpm api`');
    process.exitCode = 1;
  }
} else {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS);
  writeReports(REPORTS);
  writeFileSync(join(root, 'docs/cli.md'), helpPage());
  console.log(`${readdirSync(REPORTS).length} API reports are in api/`);
}

/** Writes the reports of all entries into a folder. One program is parsed for all of them. */
function writeReports(folder) {
  const reports = { enabled: true, reportFolder: folder, reportTempFolder: folder };
  const configs = entries().map(([reportFileName, mainEntryPointFilePath, packageJsonFullPath]) => {
    const apiReport = { ...reports, reportFileName };
    const configObject = { ...SETTINGS, projectFolder: root, mainEntryPointFilePath, apiReport };
    return ExtractorConfig.prepare({ configObject, packageJsonFullPath });
  });
  const additionalEntryPoints = configs.map((config) => config.mainEntryPointFilePath);
  const compilerState = CompilerState.create(configs[0], { additionalEntryPoints });
  for (const config of configs) {
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      compilerState,
      messageCallback: (message) => {
        message.handled = ['info', 'verbose', 'none'].includes(message.logLevel);
      },
    });
    if (!succeeded) throw new Error(`API Extractor cannot read ${config.mainEntryPointFilePath}`);
    const report = config.reportFilePath;
    writeFileSync(report, withoutNoise(readFileSync(report, 'utf8')));
  }
}

/**
 * Returns each entry that a package exports with types: its name, such as `transport-core.backend`,
 * the file with its types, and the package's manifest.
 */
function entries() {
  return published.flatMap((folder) =>
    Object.entries(manifestOf(join(root, folder)).exports)
      .filter(([, { types }]) => types !== undefined)
      .map(([entry, { types }]) => [
        join(folder, entry).slice('packages/'.length).replaceAll('/', '.'),
        join(root, folder, types),
        join(root, folder, 'package.json'),
      ]),
  );
}

/** Removes the release tags, which we do not use, and the hint that there is no package comment. */
function withoutNoise(report) {
  return report
    .replace(/^\/\/ @public\n/gm, '')
    .replace(/^\/\/ @public \(undocumented\)/gm, '// (undocumented)')
    .replace(/\n\/\/ \(No @packageDocumentation comment for this package\)\n/, '');
}
