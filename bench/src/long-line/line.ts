// A long line between two network namespaces of this machine: the compiled `line.c` carries the
// packets between two TUN devices.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Settings of both directions; an omitted one stays unchanged. */
export interface LineOptions {
  /** The delay in milliseconds each way. */
  readonly delay?: number;
  /** The rate in bits a second. */
  readonly rate?: number;
  /** The bytes that may wait for the rate. */
  readonly queue?: number;
  /** The share of packets that are lost, and of those that skip the delay and overtake others. */
  readonly loss?: number;
  readonly reorder?: number;
  /** 1: all packets are lost. */
  readonly drop?: 0 | 1;
  /** The largest packet in bytes; larger packets are lost without a notice to the sender. */
  readonly mtu?: number;
}

/** Returns the reason why no line can be made on this machine; undefined if one can. */
export function unable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!existsSync('/dev/net/tun')) return '/dev/net/tun is missing';
  const programs = Object.entries({ gcc: '--version', ip: '-V' });
  const missing = programs.find(([program, flag]) => spawnSync(program, [flag]).status !== 0);
  return missing && `${missing[0]} is missing`;
}

/** Returns the congestion controls, among those measured, that this kernel has. */
export function controls(): string[] {
  const available = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8');
  return ['bbr', 'cubic'].filter((name) => available.trim().split(/\s+/).includes(name));
}

export class Line {
  /** The namespaces of the two ends, and the address of the far end. */
  readonly near: string;
  readonly far: string;
  readonly host = '10.78.0.2';
  readonly #folder = mkdtempSync(join(tmpdir(), 'trunkline-line-'));
  readonly #commands = join(this.#folder, 'commands');
  #carrier: ChildProcess | undefined = undefined;

  /** @param name distinguishes the lines of one process. */
  constructor(name = '') {
    this.near = `trunkline-${process.pid}${name}-a`;
    this.far = `trunkline-${process.pid}${name}-b`;
  }

  async raise(options: LineOptions): Promise<void> {
    const program = join(this.#folder, 'line');
    const commands = this.#commands;
    const source = fileURLToPath(new URL('../../line/line.c', import.meta.url));
    execFileSync('gcc', ['-O2', '-o', program, source]);
    execFileSync('mkfifo', [commands]);
    for (const namespace of [this.near, this.far]) ip('netns', 'add', namespace);
    this.#carrier = spawn(program, [this.near, this.far, commands], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(this.#carrier.stdout!, 'data'),
      once(this.#carrier, 'exit').then(ended),
    ]);
    for (const [namespace, own, other] of this.#ends()) {
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
      ip('-n', namespace, 'address', 'add', own, 'peer', other, 'dev', 'line0');
      // Makes the emulated queue the only one that drops packets: at the default length of 500 the
      // device's own queue would drop some when a busy machine empties it late.
      ip('-n', namespace, 'link', 'set', 'line0', 'txqueuelen', '10000', 'up');
      ip('netns', 'exec', namespace, 'sysctl', '-qw', 'net.ipv4.tcp_no_metrics_save=1');
    }
    this.set(options);
  }

  /** Changes settings from now on. */
  set(options: LineOptions): void {
    const commands = Object.entries(options).map(([name, value]) => `2 ${name} ${value}\n`);
    if (commands.length > 0) writeFileSync(this.#commands, commands.join(''));
  }

  /** Sets the devices of both ends down or up. */
  plug(state: 'up' | 'down'): void {
    for (const [namespace] of this.#ends()) ip('-n', namespace, 'link', 'set', 'line0', state);
  }

  /**
   * Makes both kernels answer every incoming TCP packet with a RST from now on, like a firewall
   * that rejects.
   */
  reject(): void {
    const rules =
      'table ip faults { chain incoming { type filter hook input priority 0; iifname "line0" ip protocol tcp tcp flags & rst == 0 reject with tcp reset; }; }';
    for (const [namespace] of this.#ends()) ip('netns', 'exec', namespace, 'nft', rules);
  }

  /** Makes new connections use this congestion control. */
  control(name: string): void {
    for (const [namespace, own, other] of this.#ends())
      ip('-n', namespace, 'route', 'replace', other, 'dev', 'line0', 'src', own, 'congctl', name);
  }

  lower(): void {
    this.#carrier?.kill();
    // A namespace that was never made cannot be deleted.
    for (const namespace of [this.near, this.far]) spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ends(): [namespace: string, own: string, other: string][] {
    return [
      [this.near, '10.78.0.1', this.host],
      [this.far, this.host, '10.78.0.1'],
    ];
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function ended([code]: unknown[]): never {
  throw new Error(`the line ended with code ${String(code)}`);
}
