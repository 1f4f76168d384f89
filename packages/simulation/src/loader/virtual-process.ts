// The `process` of a simulated node. Its environment is empty, until the scenario sets variables.

import process from 'node:process';
import { Readable, Writable } from 'node:stream';
import type { NodeContext } from '../nodes/node-context.ts';
import { MEMORY } from './virtual-machine.ts';
import type { VirtualTimers } from './virtual-timers.ts';

/** Creates the members of the `process` of one life of a node. */
export function virtualProcess(
  clock: NodeContext['clock'],
  timers: VirtualTimers,
): Record<string, unknown> {
  const began = clock.now();
  const nanoseconds = () => BigInt(Math.floor(clock.now() * 1e6));
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const passed =
      nanoseconds() - (since === undefined ? 0n : BigInt(since[0]) * SECOND + BigInt(since[1]));
    const seconds = passed / SECOND - (passed % SECOND < 0n ? 1n : 0n);
    return [Number(seconds), Number(passed - seconds * SECOND)];
  };
  const refuse = (name: string) => () => {
    throw new Error(
      `process.${name}() in a simulated node would end this process: end the node with sim.crash`,
    );
  };
  const own: Record<string, unknown> = {
    nextTick: timers.nextTick,
    hrtime: Object.assign(hrtime, { bigint: nanoseconds }),
    uptime: () => (clock.now() - began) / 1_000,
    env: new Proxy({}, { set: (env, key, value) => Reflect.set(env, key, String(value)) }),
    argv: ['/usr/bin/node', '/main.js'],
    argv0: 'node',
    execArgv: [],
    execPath: '/usr/bin/node',
    title: 'node',
    arch: 'x64',
    platform: 'linux',
    pid: 1,
    ppid: 0,
    exitCode: undefined,
    mainModule: undefined,
    domain: null,
    // A process that was forked has these.
    ...{ send: undefined, disconnect: undefined, channel: undefined, connected: false },
    stdin: Readable.from([]),
    stdout: output(() => process.stdout, 1),
    stderr: output(() => process.stderr, 2),
    cwd: () => '/',
    chdir: () => {
      throw new Error('process.chdir() in a simulated node: its current directory is always /');
    },
    umask: () => 0o22,
    getgroups: () => [USER],
    cpuUsage: () => ({ user: 0, system: 0 }),
    threadCpuUsage: () => ({ user: 0, system: 0 }),
    memoryUsage: Object.assign(() => ({ ...NO_MEMORY }), { rss: () => 0 }),
    resourceUsage: () => Object.fromEntries(RESOURCES.map((name) => [name, 0])),
    availableMemory: () => MEMORY,
    constrainedMemory: () => MEMORY,
    exit: refuse('exit'),
    reallyExit: refuse('reallyExit'),
    abort: refuse('abort'),
    kill: refuse('kill'),
    emitWarning: () => {},
    setSourceMapsEnabled: () => {},
    hasUncaughtExceptionCaptureCallback: () => false,
    emit: () => false,
    listenerCount: () => 0,
  };
  for (const name of ['getuid', 'geteuid', 'getgid', 'getegid']) own[name] = () => USER;
  for (const name of ['listeners', 'rawListeners', 'eventNames']) own[name] = () => [];
  return own;
}

/** Creates a standard stream, whose text appears in that of the process. It is no terminal. */
function output(real: () => Writable, fd: number): Writable {
  const write = (chunk: unknown, encoding: BufferEncoding, done: () => void) => {
    real().write(chunk, encoding);
    done();
  };
  return Object.assign(new Writable({ decodeStrings: false, write }), { fd });
}

/** Names of methods for listeners: they would outlive the node, so they do nothing. */
export const LISTENING = [
  'on',
  'once',
  'addListener',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
  'removeAllListeners',
  'setMaxListeners',
];
const NO_MEMORY = { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 };
const RESOURCES = Object.keys(process.resourceUsage());
const USER = 1000;
/** Nanoseconds in a second. */
const SECOND = 1_000_000_000n;
