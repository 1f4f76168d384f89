// The machine of a simulated node, as `node:os` and `navigator` show it. It is the same on every
// real machine.

/** Creates the members of `node:os` for a node. `uptime` returns seconds. */
export function virtualMachine(hostname: string, uptime: () => number): Record<string, unknown> {
  const user = { uid: 1000, gid: 1000, username: 'node', homedir: '/', shell: null };
  return {
    EOL: '\n',
    devNull: '/dev/null',
    arch: () => 'x64',
    machine: () => 'x86_64',
    platform: () => 'linux',
    type: () => 'Linux',
    release: () => '6.0.0',
    version: () => '',
    hostname: () => hostname,
    homedir: () => user.homedir,
    tmpdir: () => '/tmp',
    userInfo: () => ({ ...user }),
    uptime,
    loadavg: () => [0, 0, 0],
    totalmem: () => MEMORY,
    freemem: () => MEMORY,
    cpus: () => [{ model: '', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
    availableParallelism: () => 1,
    networkInterfaces: () => ({}),
    getPriority: () => 0,
  };
}

/** Creates the global `navigator`. */
export function virtualNavigator(): object {
  return {
    hardwareConcurrency: 1,
    language: 'en-US',
    languages: ['en-US'],
    platform: 'linux',
    userAgent: 'Node.js',
  };
}

/** Bytes of memory of a node, all of which are free. */
export const MEMORY = 2 ** 30;
