// The map of the site: which texts of the repository are its pages, in which section and group. The
// address of a page is its path in the repository, and its title is its first heading.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folders of the packages that are published. */
export const packages = readdirSync(join(root, 'packages')).sort();

const docs = (names) => names.split(' ').map((name) => `docs/${name}.md`);
const readmes = (folder, names) => names.map((name) => `${folder}/${name}/README.md`);

/** Returns the texts of a folder, its README first. */
const folder = (path) => {
  const names = readdirSync(join(root, path)).filter((name) => /^[^R].*\.md$/.test(name));
  return ['README.md', ...names.sort()].map((name) => `${path}/${name}`);
};

/** The sections in the order of the navigation, their groups, and the texts in each group. */
export const sections = {
  Start: { Start: docs('start features tour browsers') },
  Guides: {
    Calls: docs('names resilience resumption cluster nats webrtc'),
    'Peers and topics': docs('mesh peers gossip nat'),
    Security: docs('security guarding'),
    Operation: docs('observing health reflection admin dashboard'),
    Tests: docs('simulation simulation-reference replay simulation-libraries processes'),
    Backends: docs('writing-a-transport'),
  },
  Recipes: {
    Recipes: folder('docs/recipes'),
    'Coming from another library': folder('docs/migration'),
    Examples: readmes('examples', ['raft', 'chat', 'presence', 'browser-mesh']),
  },
  Reference: {
    Reference: docs('errors limits metrics-reference cli'),
    'The wire protocol': docs(
      'wire-protocol wire-noise wire-nats wire-peers wire-gossip wire-signaling wire-tools',
    ),
    Packages: readmes('packages', packages),
  },
  Explanations: {
    Explanations: docs(
      'design peers-explained gossip-explained simulation-explained simulation-compared scale',
    ),
  },
  Project: {
    Measurements: docs('performance gossip-evaluation'),
    Reliability: docs('reliability faults'),
    Project: [
      ...docs('limitations'),
      ...['CONTRIBUTING.md', 'RELEASING.md', 'SECURITY.md'],
      ...['bench/README.md', 'evaluation/README.md'],
    ],
  },
};

/** All texts that are pages. */
export const pages = Object.values(sections).flatMap((groups) => Object.values(groups).flat());

/** Pages that are written when the site is built, and what leads to them. */
export const written = {
  'README.md': '/index.md',
  'docs/README.md': '/index.md',
  '.changeset': '/changelog.md',
  api: '/api/index.md',
};

/** Returns the link to a text of the repository that is a page; undefined if it is none. */
export function linkTo(path) {
  const found = [path, `${path}/README.md`].find((each) => pages.includes(each));
  return written[path] ?? (found && `/${found.replace('README.md', 'index.md')}`);
}

/** Returns the title of a page. */
export function titleOf(path) {
  return /^# (.+)$/m.exec(readFileSync(join(root, path), 'utf8'))[1].replaceAll('`', '');
}
