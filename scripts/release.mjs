// Publishes the packages whose version is not on the registry yet. Run by `pnpm run release`, after
// a build.
//
//   node scripts/release.mjs             does everything but the upload
//   node scripts/release.mjs --publish   uploads, with provenance: a signed statement of the commit
//                                        and the workflow that built the packages. Only the workflow
//                                        of a tag can sign it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pnpm, published, root, run } from './workspace.mjs';

const isDry = !process.argv.includes('--publish');
const { GITHUB_REF_NAME: tag, GITHUB_REPOSITORY: repository } = process.env;
const manifests = published.map((folder) => {
  const path = join(root, folder, 'package.json');
  const text = readFileSync(path, 'utf8');
  return { folder, path, text, manifest: JSON.parse(text) };
});

const problems = isDry ? [] : problemsOf();
for (const problem of problems) console.error(`release: ${problem}`);
process.exitCode = problems.length === 0 ? await publish() : 1;

/** Returns the reasons why the packages can't be published as they are. */
function problemsOf() {
  const changes = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'));
  const versions = manifests.map(({ manifest }) => `v${manifest.version}`);
  return [
    tag === undefined || repository === undefined
      ? 'GITHUB_REF_NAME and GITHUB_REPOSITORY are not set: push a tag, and let its workflow publish'
      : !versions.includes(tag) &&
        `no package has the version of the tag ${tag}; they have ${[...new Set(versions)].join(', ')}`,
    changes.some((name) => name !== 'README.md') &&
      `${changes.length} changesets are left in .changeset: run 'pnpm exec changeset version' first`,
  ].filter(Boolean);
}

/**
 * Publishes, and returns the exit code. Provenance needs the repository in each manifest, where it
 * stands only meanwhile.
 */
async function publish() {
  const flags = isDry ? ['--dry-run'] : ['--provenance'];
  try {
    if (!isDry) for (const each of manifests) writeRepository(each);
    const [command, ...args] = [...pnpm, '-r', '--filter', './packages/*', 'publish'];
    const more = ['--access', 'public', '--no-git-checks', ...flags];
    return (await run(command, [...args, ...more])).code;
  } finally {
    if (!isDry) for (const { path, text } of manifests) writeFileSync(path, text);
  }
}

function writeRepository({ path, folder, manifest }) {
  const url = `git+https://github.com/${repository}.git`;
  const whole = { ...manifest, repository: { type: 'git', url, directory: folder } };
  writeFileSync(path, `${JSON.stringify(whole, null, 2)}\n`);
}
