// The layers of the house as one table: which folder or package may import which. `biome.mjs`
// writes the import rules of biome.json from it.

/**
 * The folders of transport-core, from the lowest layer up; a file imports its own or a lower one.
 */
const CORE = ['protocol', 'wire', 'session', 'rpc', 'stream', 'transport'];
/** The modules of session/ that are folders. */
const MODULES = [
  'batch',
  'callee',
  'caller',
  'channels',
  'incoming-packets',
  'outgoing',
  'session/session',
];
/** From this folder on, code may read the machine's clock and its source of random numbers. */
const IMPURE = CORE.indexOf('stream');

/** The folders of gossip, from the lowest layer up. */
const GOSSIP = [
  'messages',
  'hyparview',
  'plumtree',
  'overlay',
  'wire',
  'signatures',
  'discovery',
  'topics',
  'relay',
  'driver',
];

/** Only the head of a module, the file of the same name, is imported from outside its folder. */
const HEADS = {
  group: MODULES.flatMap((folder) => [
    `**/${folder}/*`,
    `!**/${folder}/${folder.split('/').at(-1)}.ts`,
  ]),
  message: 'A module that is a folder is imported through its head, the file of the same name.',
};

const SOURCE = ['!**/*.test.ts', '!**/testing/**'];

/** Core's public entries, which every package may import, and with them the entry for our own. */
const PUBLIC = ['', '/backend', '/protobuf', '/testing'].map((entry) => `transport-core${entry}`);
const ALL_OF_CORE = [...PUBLIC, 'transport-core/internal'];
/** The entries of the testkit, for the tests of backends. */
const TESTKIT = ['', '/session', '/tls'].map((entry) => `transport-testkit${entry}`);

/**
 * The other packages of the project that each package may import, in its own code.
 * `files`: globs below `packages/`. `also`: rules that apply in addition.
 */
const PACKAGES = [
  {
    files: ['transport-testkit/src/**'],
    except: [],
    may: [...ALL_OF_CORE, 'resilience', 'resilience/health', 'telemetry'],
    because: 'transport-testkit knows no backend: it imports core, resilience and telemetry alone.',
  },
  {
    files: ['transport-testkit/src/raw/**'],
    except: ['!**/*.test.ts'],
    names: 'Stream(Connection|Layer)',
    because:
      'The raw client is written from the .proto: it shares nothing with core but the names of the stream ports.',
  },
  {
    files: ['transport-inmem/src/**'],
    except: ['!**/*.test.ts'],
    may: ALL_OF_CORE,
    because: 'Backends know nothing of each other: they import transport-core alone.',
  },
  {
    files: ['simulation/src/**', '!packages/simulation/src/processes/**'],
    except: ['!**/*.test.ts'],
    may: [...ALL_OF_CORE, 'transport-inmem/layer'],
    because:
      'simulation is made of memory connections: it imports transport-core and transport-inmem/layer alone.',
  },
  {
    files: ['simulation/src/processes/**'],
    except: SOURCE,
    may: [...PUBLIC, 'transport-testkit', 'transport-tcp', 'peers/node'],
    because:
      'processes/ of simulation imports core, transport-testkit, transport-tcp and peers/node alone.',
  },
  {
    files: ['transport-{tcp,ws}/src/**'],
    except: SOURCE,
    may: [...PUBLIC, 'transport-core/node'],
    because:
      "Backends know nothing of each other: they import transport-core's public entries and its code for Node alone.",
  },
  {
    files: ['transport-webrtc/src/*.ts'],
    except: SOURCE,
    may: [...PUBLIC, 'security'],
    because:
      "Backends know nothing of each other: transport-webrtc imports transport-core's public entries and security alone.",
  },
  {
    files: ['transport-nats/src/**'],
    except: SOURCE,
    may: PUBLIC,
    because:
      "Backends know nothing of each other: transport-nats imports transport-core's public entries alone.",
  },
  {
    files: ['security/src/**', '!packages/security/src/noise/**'],
    except: SOURCE,
    may: [...PUBLIC, 'transport-core/node'],
    because:
      "security stands beside the layers: it imports transport-core's public entries and its code for Node alone.",
  },
  {
    files: ['security/src/noise/**'],
    except: SOURCE,
    may: PUBLIC,
    because:
      "noise/ of security knows no backend: of the packages, it imports transport-core's public entries alone.",
  },
  {
    files: ['peers/src/**', '!packages/peers/src/nat/**'],
    except: SOURCE,
    may: [...ALL_OF_CORE, 'transport-core/node'],
    because:
      'peers is an ordinary user of a Transport and knows no backend: it imports transport-core alone.',
  },
  {
    files: ['transport-webrtc/src/signaling/**'],
    except: SOURCE,
    may: [...ALL_OF_CORE, 'security', 'security/noise'],
    because:
      'signaling/ is an ordinary user of a Transport: it imports transport-core and security alone.',
  },
  {
    files: ['transport-webrtc/src/wamp/**'],
    except: SOURCE,
    may: PUBLIC,
    because: "wamp/ imports transport-core's public entries alone.",
  },
  {
    files: ['peers/src/nat/**'],
    except: SOURCE,
    may: PUBLIC,
    because:
      "nat/ of peers is an ordinary user of a Transport and knows no backend: it imports transport-core's public entries alone.",
  },
  {
    files: ['resilience/src/**', '!packages/resilience/src/{cluster,health}/**'],
    except: SOURCE,
    may: PUBLIC,
    because:
      "resilience is an ordinary user of a Transport and knows no backend: it imports transport-core's public entries alone.",
  },
  {
    files: ['resilience/src/health/**'],
    except: SOURCE,
    may: ALL_OF_CORE,
    because:
      'health/ of resilience takes a transport out of service: of the packages, it imports transport-core alone.',
  },
  {
    files: ['resilience/src/cluster/**'],
    except: SOURCE,
    may: [...PUBLIC, 'telemetry'],
    because:
      "cluster is an ordinary user of a Transport and knows no backend: it imports transport-core's public entries and telemetry alone.",
  },
  {
    files: ['telemetry/src/**'],
    except: SOURCE,
    may: PUBLIC,
    because:
      "telemetry is an ordinary observer of a Transport: it imports transport-core's public entries alone.",
  },
  {
    files: ['admin/src/**', '!packages/admin/src/{reflection,dashboard,replay}/**'],
    except: SOURCE,
    may: [...ALL_OF_CORE, 'resilience/health', 'telemetry'],
    because:
      'admin sees peers and gossip only through their shapes: it imports transport-core, resilience/health and telemetry alone.',
  },
  {
    files: ['admin/src/reflection/**'],
    except: SOURCE,
    may: ALL_OF_CORE,
    because:
      'reflection/ is an ordinary user of a Transport and knows no backend: it imports transport-core alone.',
  },
  {
    files: ['admin/src/dashboard/**'],
    except: SOURCE,
    may: [...ALL_OF_CORE, 'transport-ws'],
    because:
      'dashboard/ sees nodes through the admin protocol alone: it imports transport-core and transport-ws alone.',
  },
  {
    files: ['admin/src/replay/**'],
    except: SOURCE,
    may: ['simulation'],
    because: 'replay/ shows recordings: it imports the types of simulation alone.',
  },
  {
    files: ['gossip/src/**'],
    except: SOURCE,
    may: [...ALL_OF_CORE, 'peers', 'peers/internal'],
    because:
      'gossip is an ordinary user of a Transport and of peers, and knows no backend: it imports transport-core and peers alone.',
  },
  {
    files: ['trunkline/src/**'],
    except: SOURCE,
    may: [
      ...PUBLIC,
      'transport-inmem',
      'transport-tcp',
      'transport-ws',
      'security',
      'security/noise',
      'peers',
      'gossip',
      'gossip/relay',
      'resilience',
      'resilience/health',
    ],
    because: 'trunkline joins what most users need; other packages are installed by their names.',
  },
  {
    files: ['trunkline/src/*.ts', '!packages/trunkline/src/index.*.ts'],
    except: SOURCE,
    may: [...PUBLIC, 'resilience/health', 'transport-inmem', 'transport-tcp', 'transport-ws'],
    also: [
      {
        group: ['./mesh/**'],
        message: 'The main entry of trunkline does without mesh/, so that it costs a page nothing.',
      },
    ],
    because: 'The main entry of trunkline imports core, health and the backends alone.',
  },
];

const WEBRTC = PACKAGES.find(({ files }) => files.includes('transport-webrtc/src/*.ts'));

const TIMERS = {
  group: ['node:timers', 'node:timers/**', 'node:perf_hooks', 'timers', 'timers/**', 'perf_hooks'],
  message: 'Time is an argument: take it from a Clock.',
};

/**
 * Globals that only the files named `system-*` and `native-*` may use, with the way around each.
 */
const AMBIENT = {
  ...named('Time is an argument: take it from a Clock.', [
    'Date',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
    'queueMicrotask',
    'performance',
    'requestAnimationFrame',
    'requestIdleCallback',
    'MessageChannel',
  ]),
  crypto: 'Chance is an argument: take it from a Random.',
  ...named('It is a way around the walls: name what you need.', [
    'globalThis',
    'self',
    'window',
    'global',
  ]),
  console: 'A library prints nothing: tell the observer.',
  process: 'Browsers have no process; where only Node runs, import it from node:process.',
  Buffer: 'Bytes are plain Uint8Arrays; where only Node runs, import it from node:buffer.',
  require: 'ESM only.',
};

/** Files that may use the globals of AMBIENT. */
const MAY_BE_AMBIENT = [
  '!**/*.test.ts',
  '!**/*.test.child.ts',
  '!**/testing/**',
  '!packages/transport-core/src/manual-clock.ts',
  '!packages/{transport-core,trunkline}/src/system-*.ts',
  '!packages/transport-core/src/globals.d.ts',
  '!packages/{transport-ws,transport-webrtc}/src/**/native-*.ts',
  '!packages/peers/src/store/native-*.ts',
  '!packages/admin/src/{dashboard,replay}/page/**',
  '!packages/simulation/src/kernel/nondeterminism-guard.ts',
  '!packages/simulation/src/kernel/sha256.ts',
  '!packages/simulation/src/kernel/uncaught.ts',
  '!packages/simulation/src/explore/runtime.ts',
  '!packages/simulation/src/loader/**',
  '!examples/*/src/demo*.ts',
  '!examples/*/src/demo/**',
  '!examples/*/src/main.ts',
];

const NATIVE = [
  'packages/transport-ws/src/index.browser.ts',
  'packages/transport-ws/src/native-*.ts',
];

/**
 * Returns the `overrides` of biome.json.
 * @param deniedGlobals the globals that are denied everywhere, with their messages.
 */
export function overrides(deniedGlobals) {
  return [
    {
      includes: ['packages/*/src/**', 'examples/*/src/**', ...MAY_BE_AMBIENT],
      linter: {
        rules: {
          style: {
            noRestrictedGlobals: {
              level: 'error',
              options: { deniedGlobals: { ...deniedGlobals, ...AMBIENT } },
            },
          },
        },
      },
    },
    ...coreRules(),
    nodeRule(),
    ...PACKAGES.map(packageRule),
    ...gossipRules(),
    imports(
      ['examples/*/src/**', 'docs/src/**', '!docs/src/pigeon/**', '!docs/src/recipes/backend/**'],
      [
        {
          group: ['@trunkline/transport-core/{internal,node}', '@trunkline/peers/internal'],
          message: 'Examples show what users write: they import no entry for our own packages.',
        },
      ],
    ),
    imports(
      ['docs/src/pigeon/**', 'docs/src/recipes/backend/**'],
      [
        {
          group: ['@trunkline/transport-core/internal'],
          message: 'The pages about writing a backend need the public entries of core alone.',
        },
      ],
    ),
    imports(
      [
        'hostile/src/{wire,long,topic-member,attacker-connection,carriers,noise-client,web-socket-client,methods}.ts',
        'hostile/src/attacks/**',
      ],
      [
        only(
          [],
          'An attacker writes the wire from its documents: it shares no code with the project.',
        ),
      ],
    ),
    imports(
      [
        'packages/transport-{inmem,tcp,ws}/src/**/*.test.ts',
        'packages/transport-{tcp,ws}/src/testing/**',
      ],
      [
        only(
          [
            ...ALL_OF_CORE,
            'transport-core/node',
            ...TESTKIT,
            'security',
            'resilience/health',
            'telemetry',
          ],
          'Backends know nothing of each other: their tests import no other backend.',
        ),
      ],
    ),
    imports(
      ['packages/transport-webrtc/src/*.ts', '!**/node-rtc.ts', ...SOURCE],
      [
        only(WEBRTC.may, WEBRTC.because),
        {
          group: ['node-datachannel', 'node-datachannel/**', 'werift'],
          message: 'Only node-rtc.ts loads a WebRTC library: browsers have their own.',
        },
        TIMERS,
      ],
    ),
    imports(
      ['packages/simulation/src/**/*.test.ts'],
      [
        only(
          [...ALL_OF_CORE, 'transport-inmem/layer', ...TESTKIT],
          'simulation is made of memory connections: its tests import transport-core, transport-inmem/layer and transport-testkit alone.',
        ),
      ],
    ),
    imports(
      [...NATIVE, '!**/*.test.ts'],
      [
        only(
          PUBLIC,
          "Backends know nothing of each other: they import transport-core's public entries alone.",
        ),
        {
          group: ['ws'],
          message: 'A browser has no ws: it belongs in the files that only Node runs.',
        },
      ],
    ),
    {
      includes: [
        'packages/{transport-core,transport-inmem,transport-webrtc,telemetry,resilience}/src/**',
        'packages/admin/src/**',
        '!packages/admin/src/{dashboard,replay}/**',
        'packages/simulation/src/**',
        '!packages/transport-core/src/node/**',
        '!packages/resilience/src/{cluster,dns}/**',
        '!packages/simulation/src/{loader,processes}/**',
        ...NATIVE,
        '!**/*.test.ts',
        '!**/*.test.child.ts',
        '!**/testing/**',
      ],
      linter: { rules: { correctness: { noNodejsModules: 'error' } } },
    },
  ];
}

/** The layers of transport-core; layer 0 is its root. */
function coreRules() {
  return ['', ...CORE].map((folder, layer) => {
    const higher = CORE.slice(layer).map((name) => `**/${name}/**`);
    const name = folder === '' ? 'The root of core' : `${folder}/`;
    const patterns = [];
    if (layer >= CORE.indexOf('session') + 1) patterns.push(HEADS);
    if (higher.length > 0)
      patterns.push({
        group: higher,
        message: `${name} is layer ${layer}: a file imports its own layer or a lower one.`,
      });
    if (layer <= IMPURE)
      patterns.push({
        group: ['**/system-*'],
        message: `system-runtime and system-memory belong to layer ${IMPURE + 1}: the pure layers below it get time and random numbers as arguments.`,
      });
    patterns.push(only([], 'transport-core is the lowest package: it imports no other.'));
    const files =
      folder === ''
        ? ['*.ts', '!index*.ts', '!*.test.ts'].map((file) =>
            file.replace(/^!?/, (not) => `${not}packages/transport-core/src/`),
          )
        : [`packages/transport-core/src/${folder}/**`];
    return imports(files, patterns);
  });
}

/** The code of transport-core for Node, which stands beside the layers. */
function nodeRule() {
  return imports(
    ['packages/transport-core/src/node/**', ...SOURCE],
    [
      only(
        PUBLIC,
        "node/ stands beside the layers: it imports transport-core's public entries alone.",
      ),
      {
        group: ['../**'],
        message:
          'node/ imports core by its name: Node loads core as one file, with one copy of each class.',
      },
      TIMERS,
    ],
  );
}

/** The layers of gossip; its root files use all of them, or are used by all. */
function gossipRules() {
  const { may, because } = PACKAGES.find(({ files }) => files.includes('gossip/src/**'));
  return GOSSIP.slice(0, -1).map((folder, layer) => {
    const higher = GOSSIP.slice(layer + 1).map((name) => `**/${name}/**`);
    const message = `${folder}/ of gossip is layer ${layer + 1}: a file imports its own layer or a lower one.`;
    return imports(
      [`packages/gossip/src/${folder}/**`, ...SOURCE],
      [{ group: higher, message }, only(may, because), TIMERS],
    );
  });
}

function packageRule({ files, except, may, names, because, also = [] }) {
  const rule =
    names === undefined
      ? only(may, because)
      : {
          group: ['@trunkline/**', '../**'],
          importNamePattern: names,
          invertImportNamePattern: true,
          message: because,
        };
  return imports(
    [...files.map((file) => (file.startsWith('!') ? file : `packages/${file}`)), ...except],
    [rule, ...also, TIMERS],
  );
}

/** A pattern that forbids all packages of the project except `may`. */
function only(may, message) {
  return { group: ['@trunkline/**', ...may.map((name) => `!@trunkline/${name}`)], message };
}

function imports(includes, patterns) {
  return {
    includes,
    linter: {
      rules: { style: { noRestrictedImports: { level: 'error', options: { patterns } } } },
    },
  };
}

function named(message, names) {
  return Object.fromEntries(names.map((name) => [name, message]));
}
