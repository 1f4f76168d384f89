// Publishes the packages whose version is not on the registry yet. Run by `pnpm run release`, after
// a build.
//
//   node scripts/release.mjs             does everything but the upload
//   node scripts/release.mjs --publish   uploads, with provenance: a signed statement of the commit
//                                        and the workflow that built the packages. Only the workflow
//                                        of a tag can sign it.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { manifestOf, pnpm, published, root } from './workspace.mjs';

const isDry = !process.argv.includes('--publish');
const { GITHUB_REF_NAME: tag, GITHUB_REPOSITORY: repository } = process.env;
const manifests = published.map((folder) => manifestOf(join(root, folder)));

const problems = isDry ? [] : problemsOf();
for (const problem of problems) console.error(`release: ${problem}`);
process.exitCode = problems.length === 0 ? await publish() : 1;

/** Returns the reasons why the packages can't be published as they are. */
function problemsOf() {
  const changes = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'));
  const versions = manifests.map(({ version }) => `v${version}`);
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
 * Publishes, and returns the exit code. Provenance needs the repository in each manifest, which
 * only the workflow's clone has.
 */
async function publish() {
  const url = `git+https://github.com/${repository}.git`;
  if (!isDry)
    for (const [at, folder] of published.entries()) {
      const whole = { ...manifests[at], repository: { type: 'git', url, directory: folder } };
      writeFileSync(join(root, folder, 'package.json'), `${JSON.stringify(whole, null, 2)}\n`);
    }
  const args = ['--access', 'public', '--no-git-checks', isDry ? '--dry-run' : '--provenance'];
  return (await pnpm(['publish', ...args])).code;
}
