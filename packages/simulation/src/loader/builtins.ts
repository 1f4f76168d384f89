// The policy for each built-in module of Node: what of it loaded code may use. What has no policy
// is refused.

/**
 * `pure`: the real module, because its results depend on arguments only. `virtual`: the world of
 * the node has a version of its own, for which `VirtualBuiltins` must have an entry. Otherwise
 * everything is refused at the call, except for what the world of the node replaces and for the
 * members whose names `pure` matches.
 */
export type Policy = 'pure' | 'virtual' | { readonly pure: RegExp; readonly remedy: string };

/** Returns the policy for a built-in module, by its name without `node:`. */
export function policyOf(name: string): Policy {
  return BUILTINS[name] ?? { pure: NOTHING, remedy: 'the loader does not know this module' };
}

const NOTHING = /^$/;
const ALL = /^/;
/** The remedy for what reaches the network. */
export const SOCKETS = 'nodes reach each other only through transport() of the node';
/** The remedy for what starts a process. */
export const PROCESSES = 'start another node with sim.node, or use a version that needs no process';
const THREADS = 'use an option of the package that works without threads, as most have';
const INSPECTION = 'it shows the real process: leave it out in a simulation';
const CODE = 'its code would see the real time and chance: use new Function, which sees the node';
const CHANCE =
  'it draws from the chance of the machine or answers in real time: pass keys that you made before, or use a synchronous function that needs no randomness';
/** The remedy for what reads the real machine. */
export const TIME = 'it reads the real machine: read the clock of the node';
const COMPRESSION = 'it works on a thread in real time: use the functions without streams';
const network = { pure: NOTHING, remedy: SOCKETS };
const inspection = { pure: NOTHING, remedy: INSPECTION };

/** The globals that loaded code may name and extend, but not use, and the remedies. */
export const REFUSED_GLOBALS = {
  BroadcastChannel: SOCKETS,
  CompressionStream: COMPRESSION,
  DecompressionStream: COMPRESSION,
  PerformanceMark: TIME,
  PerformanceObserver: TIME,
  fetch: SOCKETS,
  WebSocket: SOCKETS,
  EventSource: SOCKETS,
} as const;

const BUILTINS: Readonly<Record<string, Policy | undefined>> = {
  assert: 'pure',
  'assert/strict': 'pure',
  async_hooks: { pure: ALL, remedy: '' },
  buffer: { pure: ALL, remedy: '' },
  child_process: { pure: NOTHING, remedy: PROCESSES },
  cluster: { pure: /^is(?:Primary|Master|Worker)$/, remedy: PROCESSES },
  console: { pure: ALL, remedy: '' },
  constants: 'pure',
  crypto: {
    pure: /^(?:constants|(?:create)?(?:Hash|Hmac|Cipheriv|Decipheriv|Verify)|hash|get(?:Hashes|Ciphers|CipherInfo|Curves|Fips)|timingSafeEqual|(?:pbkdf2|scrypt|hkdf|argon2|checkPrime)Sync|create(?:Secret|Public|Private)Key|KeyObject|publicDecrypt|private(?:Decrypt|Encrypt)|diffieHellman|X509Certificate|Certificate)$/,
    remedy: CHANCE,
  },
  dgram: network,
  diagnostics_channel: { pure: ALL, remedy: '' },
  dns: { pure: /^[A-Z]+$/, remedy: SOCKETS },
  'dns/promises': { pure: /^[A-Z]+$/, remedy: SOCKETS },
  domain: { pure: NOTHING, remedy: 'it changes the real process: use AsyncLocalStorage' },
  events: 'pure',
  ffi: { pure: NOTHING, remedy: 'native code has no virtual time: use a JavaScript version' },
  fs: 'virtual',
  'fs/promises': 'virtual',
  http: { pure: /^validateHeader/, remedy: SOCKETS },
  http2: { pure: /^(?:constants|sensitiveHeaders)$/, remedy: SOCKETS },
  https: network,
  inspector: inspection,
  'inspector/promises': inspection,
  module: 'virtual',
  net: { pure: /^(?:isIP(?:v[46])?|BlockList|SocketAddress)$/, remedy: SOCKETS },
  os: { pure: /^(?:constants|endianness)$/, remedy: TIME },
  path: 'virtual',
  'path/posix': 'virtual',
  'path/win32': 'pure',
  perf_hooks: { pure: /^(?:constants|createHistogram)$/, remedy: TIME },
  process: {
    pure: /^(?:version|versions|release|config|features|getMaxListeners|allowedNodeEnvironmentFlags)$/,
    remedy: 'it would reach the real process',
  },
  punycode: 'pure',
  querystring: 'pure',
  readline: 'pure',
  'readline/promises': 'pure',
  repl: inspection,
  sea: inspection,
  sqlite: { pure: /^constants$/, remedy: 'it writes to the real disk: use a JavaScript database' },
  stream: 'pure',
  'stream/consumers': 'pure',
  'stream/promises': 'pure',
  'stream/web': { pure: /^(?!(?:Dec|C)ompressionStream)/, remedy: COMPRESSION },
  string_decoder: 'pure',
  sys: { pure: /^(?!log$)/, remedy: TIME },
  test: inspection,
  'test/reporters': inspection,
  timers: 'virtual',
  'timers/promises': 'virtual',
  tls: { pure: /^(?:rootCertificates|checkServerIdentity|DEFAULT_.*)$/, remedy: SOCKETS },
  trace_events: inspection,
  tty: { pure: NOTHING, remedy: 'a node has no terminal' },
  url: { pure: ALL, remedy: '' },
  util: { pure: /^(?!log$)/, remedy: TIME },
  'util/types': 'pure',
  v8: {
    pure: /^(?:serialize|deserialize|(?:Default)?(?:Des|S)erializer|isStringOneByteRepresentation|startupSnapshot)$/,
    remedy: INSPECTION,
  },
  vm: { pure: /^(?:isContext|constants)$/, remedy: CODE },
  wasi: { pure: NOTHING, remedy: 'it reaches the real disk and clock' },
  worker_threads: {
    pure: /^(?:SHARE_ENV|resourceLimits|is(?:MarkedAsUntransferable|InternalThread)|mark(?:AsUntransferable|AsUncloneable))$/,
    remedy: THREADS,
  },
  zlib: { pure: /^(?:constants|codes|crc32|.*Sync|Z_.*)$/, remedy: COMPRESSION },
  // The internal modules of Node that are visible for old packages.
  _http_agent: network,
  _http_client: network,
  _http_common: network,
  _http_incoming: network,
  _http_outgoing: network,
  _http_server: network,
  _stream_duplex: 'pure',
  _stream_passthrough: 'pure',
  _stream_readable: 'pure',
  _stream_transform: 'pure',
  _stream_wrap: network,
  _stream_writable: 'pure',
  _tls_common: network,
  _tls_wrap: network,
};

/** The names of the modules that have a policy. */
export const knownBuiltins: readonly string[] = Object.keys(BUILTINS);
