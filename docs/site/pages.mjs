// The map of the site: which texts of the repository are its pages, in which section, under which
// address. A page's title is its first heading.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

const guide = (...names) => names.map((name) => [`docs/${name}.md`, name]);
const readme = (folder, name) => [`${folder}/${name}/README.md`, name];

/** The folders of the packages that are published. */
export const packages = readdirSync(join(root, 'packages'))
  .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
  .sort();

/**
 * The guide to which the page of each package leads. Others lead to the start.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const guides = {
  admin: 'docs/admin.md',
  cli: 'docs/cli.md',
  gossip: 'docs/gossip.md',
  peers: 'docs/peers.md',
  resilience: 'docs/resilience.md',
  security: 'docs/security.md',
  simulation: 'docs/simulation.md',
  telemetry: 'docs/observing.md',
  'transport-core': 'docs/tour.md',
  'transport-inmem': 'docs/tour.md',
  'transport-nats': 'docs/nats.md',
  'transport-tcp': 'docs/start.md',
  'transport-testkit': 'docs/writing-a-transport.md',
  'transport-webrtc': 'docs/webrtc.md',
  'transport-ws': 'docs/browsers.md',
  trunkline: 'docs/start.md',
};

/** Pages that a program writes when the site is built: their addresses and titles. */
export const generated = {
  options: { path: 'reference/options', title: 'Options' },
  api: { path: 'reference/api/index', title: 'API of the packages' },
  changelog: { path: 'project/changelog', title: 'Changelog' },
};

/**
 * The sections, in the order of the navigation. A group is `[title, pages]`, and a page is
 * `[path in the repository, address in the section]`, or one of the generated pages.
 */
export const sections = [
  {
    title: 'Start',
    path: 'start',
    groups: [
      [
        'Start',
        [
          ['docs/start.md', 'index'],
          ['docs/features.md', 'features'],
          ['docs/tour.md', 'tour'],
          ['docs/browsers.md', 'browsers'],
        ],
      ],
    ],
  },
  {
    title: 'Guides',
    path: 'guides',
    groups: [
      ['Calls', guide('names', 'resilience', 'resumption', 'cluster', 'nats', 'webrtc')],
      ['Peers and topics', guide('mesh', 'peers', 'gossip', 'nat')],
      ['Security', guide('security', 'guarding')],
      ['Operation', guide('observing', 'health', 'reflection', 'admin', 'dashboard')],
      [
        'Tests',
        guide('simulation', 'simulation-reference', 'replay', 'simulation-libraries', 'processes'),
      ],
      ['Backends', guide('writing-a-transport')],
    ],
  },
  {
    title: 'Recipes',
    path: 'recipes',
    groups: [
      ['Recipes', recipes()],
      ['Coming from another library', folder('docs/migration', 'from-')],
      [
        'Examples',
        ['raft', 'chat', 'presence', 'browser-mesh'].map((name) => readme('examples', name)),
      ],
    ],
  },
  {
    title: 'Reference',
    path: 'reference',
    groups: [
      [
        'Reference',
        [
          ...guide('errors', 'limits'),
          generated.options,
          ...guide('metrics-reference', 'cli'),
          generated.api,
        ],
      ],
      ['The wire protocol', wire()],
      ['Packages', packages.map((name) => [`packages/${name}/README.md`, `packages/${name}`])],
    ],
  },
  {
    title: 'Explanations',
    path: 'explanations',
    groups: [
      [
        'Explanations',
        guide(
          'design',
          'sessions',
          'credit',
          'peers-explained',
          'gossip-explained',
          'simulation-explained',
          'scale',
        ),
      ],
    ],
  },
  {
    title: 'Project',
    path: 'project',
    groups: [
      ['Measurements', guide('performance', 'gossip-evaluation')],
      ['Reliability', guide('reliability', 'faults')],
      [
        'Project',
        [
          ...guide('limitations'),
          generated.changelog,
          ['CONTRIBUTING.md', 'contributing'],
          ['RELEASING.md', 'releasing'],
          ['SECURITY.md', 'security-policy'],
          ['bench/README.md', 'bench'],
          ['evaluation/README.md', 'evaluation'],
        ],
      ],
    ],
  },
];

const { groups: guideGroups } = sections.find(({ path }) => path === 'guides');
const more = unlisted();
if (more.length > 0) guideGroups.push(['More', more]);

/** Returns the address of each text of the repository that is a page: 'guides/peers'. */
export function addresses() {
  const found = new Map([
    ['README.md', 'index'],
    ['docs/README.md', 'index'],
    ['.changeset', generated.changelog.path],
    ['api', generated.api.path],
  ]);
  for (const { path, groups } of sections)
    for (const [, pages] of groups)
      for (const page of pages) if (Array.isArray(page)) found.set(page[0], `${path}/${page[1]}`);
  return found;
}

/** Returns the texts of docs/ that no section names, so that each is a page somewhere. */
function unlisted() {
  const listed = new Set(['docs/README.md']);
  for (const { groups } of sections)
    for (const [, pages] of groups) for (const page of pages) listed.add(page[0]);
  return readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && !listed.has(`docs/${name}`))
    .sort()
    .map((name) => [`docs/${name}`, name.slice(0, -'.md'.length)]);
}

function wire() {
  const names = ['protocol', 'noise', 'nats', 'peers', 'gossip', 'signaling', 'tools'];
  return guide(...names.map((name) => `wire-${name}`));
}

/** Returns the recipes: the texts of docs/recipes, and docs/recipes.md if it exists. */
function recipes() {
  const all = folder('docs/recipes', '');
  if (!existsSync(join(root, 'docs/recipes.md'))) return all;
  return [...all, ['docs/recipes.md', all.length === 0 ? 'index' : 'more']];
}

/** Returns the texts of a folder, its README first. */
function folder(path, prefix) {
  if (!existsSync(join(root, path))) return [];
  const names = readdirSync(join(root, path)).filter((name) => name.endsWith('.md'));
  return names
    .sort((a, b) => Number(b === 'README.md') - Number(a === 'README.md') || a.localeCompare(b))
    .map((name) => [
      `${path}/${name}`,
      name === 'README.md' ? (prefix === '' ? 'index' : 'migration') : prefix + name.slice(0, -3),
    ]);
}
