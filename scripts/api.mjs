// Writes the API report of each public entry of the packages into api/; with --check, compares
// them and fails on a difference, so that no public name or signature changes unnoticed. Run by
// `pnpm api` to accept a change, and by check.mjs.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv } from 'node:process';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { published, root, run } from './workspace.mjs';

const REPORTS = join(root, 'api');
const SILENT = { default: { logLevel: 'none' } };
/** The DOM is for the globals that our declarations name, such as AbortSignal and WebSocket. */
const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
  types: ['node'],
  strict: true,
  skipLibCheck: true,
};
const isCheck = argv.includes('--check');

const fresh = mkdtempSync(join(tmpdir(), 'trunkline-api-'));
try {
  writeReports(fresh);
  if (isCheck) await compare();
  else {
    rmSync(REPORTS, { recursive: true, force: true });
    mkdirSync(REPORTS);
    for (const file of readdirSync(fresh))
      writeFileSync(join(REPORTS, file), readFileSync(join(fresh, file)));
    console.log(`${readdirSync(fresh).length} API reports are in api/`);
  }
} finally {
  rmSync(fresh, { recursive: true });
}

/** Prints how the reports differ from those of this build, and fails if they do. */
async function compare() {
  mkdirSync(REPORTS, { recursive: true });
  const { code, output } = await run(
    'git',
    ['diff', '--no-index', '--no-color', '--no-prefix', '--unified=1', REPORTS, fresh],
    { capture: 'all' },
  );
  if (code === 0) return console.log('the API reports are up to date');
  const difference = output
    .replace(/^diff --git .*\/(.+)$/gm, 'api/$1')
    .replace(/^(index|---|\+\+\+) .*\n/gm, '');
  console.error(difference);
  console.error('public declarations have changed: review the change, then run `pnpm api`');
  process.exitCode = 1;
}

/** Writes the reports of all entries into a folder. One program is parsed for all of them. */
function writeReports(folder) {
  const all = entries();
  const files = all.map(({ types }) => types);
  const configs = all.map(({ name, types, manifest }) => configOf(name, types, manifest));
  const compilerState = CompilerState.create(configs[0]);
  for (const config of configs) {
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      compilerState,
      messageCallback: (message) => {
        message.handled = ['info', 'verbose', 'none'].includes(message.logLevel);
      },
    });
    const report = config.reportFilePath;
    if (!succeeded) throw new Error(`API Extractor cannot read ${config.mainEntryPointFilePath}`);
    writeFileSync(report, withoutNoise(readFileSync(report, 'utf8')));
  }

  function configOf(name, types, manifest) {
    return ExtractorConfig.prepare({
      packageJsonFullPath: manifest,
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: types,
        compiler: { overrideTsconfig: { compilerOptions: COMPILER_OPTIONS, files } },
        apiReport: {
          enabled: true,
          reportFolder: folder,
          reportTempFolder: folder,
          reportFileName: name,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
        messages: {
          compilerMessageReporting: { default: { logLevel: 'error' } },
          extractorMessageReporting: SILENT,
          tsdocMessageReporting: SILENT,
        },
      },
    });
  }
}

/**
 * Returns each entry that a package exports with types: `transport-core`, `transport-core.backend`.
 */
function entries() {
  return published.flatMap((folder) => {
    const manifest = join(root, folder, 'package.json');
    return Object.entries(JSON.parse(readFileSync(manifest, 'utf8')).exports)
      .filter(([, { types }]) => types !== undefined)
      .map(([entry, { types }]) => ({
        name: join(folder, entry).slice('packages/'.length).replaceAll('/', '.'),
        types: join(root, folder, types),
        manifest,
      }));
  });
}

/** Removes the release tags, which we do not use, and the hint that there is no package comment. */
function withoutNoise(report) {
  return report
    .replace(/^\/\/ @public\n/gm, '')
    .replace(/^\/\/ @public \(undocumented\)/gm, '// (undocumented)')
    .replace(/\n\/\/ \(No @packageDocumentation comment for this package\)\n/, '');
}
