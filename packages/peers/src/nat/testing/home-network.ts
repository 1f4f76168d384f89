// A home network made of network namespaces: an outer host, a router that runs Debian's miniupnpd,
// and an inner host that reaches the outer one only through the router.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The outer host, and the router from outside. The router maps nothing to a private address. */
export const OUTER = '11.0.0.2';
export const ROUTER = '11.0.0.1';
/** The router from inside, and the inner host. */
export const LAN = '192.168.77.1';
export const INNER = '192.168.77.2';

/** Returns the reason why no such network can be made on this machine; undefined if one can. */
export function unable(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `probe${process.pid}`;
  const failed = [
    'miniupnpd --version',
    `ip netns add ${name}`,
    `ip -n ${name} link add eth0 type veth peer name eth1`,
    `ip netns exec ${name} nft add table inet probe`,
    `ip netns del ${name}`,
  ].filter((command) => !runs(command));
  return failed.length === 0 ? undefined : `this fails here: ${failed.join('; ')}`;
}

/** A process in the network that answers commands: see node.child.ts. */
export interface NetworkNode {
  ask(command: string): Promise<unknown>;
}

export class HomeNetwork {
  readonly #folder = mkdtempSync(join(tmpdir(), 'trunkline-nat-'));
  readonly #name = `nat${process.pid}-${count++}`;
  readonly #children = new Set<ChildProcess>();
  #router: ChildProcess | undefined;

  constructor() {
    const [outer, router, inner] = ['outer', 'router', 'inner'].map((end) => this.#of(end));
    for (const name of [outer, router, inner]) {
      run(`ip netns add ${name}`);
      run(`ip -n ${name} link set lo up`);
    }
    run(`ip -n ${router} link add wan0 type veth peer name eth0 netns ${outer}`);
    run(`ip -n ${router} link add lan0 type veth peer name eth0 netns ${inner}`);
    for (const [name, device, address] of [
      [outer, 'eth0', `${OUTER}/24`],
      [router, 'wan0', `${ROUTER}/24`],
      [router, 'lan0', `${LAN}/24`],
      [inner, 'eth0', `${INNER}/24`],
    ]) {
      run(`ip -n ${name} address add ${address} dev ${device}`);
      run(`ip -n ${name} link set ${device} up`);
    }
    run(`ip -n ${inner} route add default via ${LAN}`);
    const forward = 'echo 1 >/proc/sys/net/ipv4/ip_forward';
    execFileSync('ip', ['netns', 'exec', router!, 'sh', '-c', forward]);
    writeFileSync(join(this.#folder, 'nft.conf'), RULES);
    this.#nft(`-f ${join(this.#folder, 'nft.conf')}`);
  }

  #of(end: string): string {
    return `${this.#name}-${end}`;
  }

  #nft(command: string): string {
    return run(`ip netns exec ${this.#of('router')} nft ${command}`);
  }

  /** Starts miniupnpd on the router. */
  async startRouter({ upnp }: { readonly upnp: boolean }): Promise<void> {
    const path = join(this.#folder, 'miniupnpd.conf');
    writeFileSync(path, `${SETTINGS}enable_upnp=${upnp ? 'yes' : 'no'}\n`);
    const args = ['-d', '-f', path, '-P', join(this.#folder, 'pid')];
    this.#router = this.#spawn('router', 'miniupnpd', args);
    const lines = createInterface({ input: this.#router.stderr! });
    for await (const line of lines) if (/Listening for NAT-PMP/.test(line)) break;
    this.#router.stderr!.resume();
  }

  /** Stops miniupnpd immediately. The router forgets all mappings, as after a loss of power. */
  async stopRouter(): Promise<void> {
    const router = this.#router!;
    router.kill('SIGKILL');
    await once(router, 'exit');
    for (const chain of ['forwards', 'redirects', 'returns'])
      this.#nft(`flush chain inet trunkline ${chain}`);
  }

  /** Returns the number of mappings that the router has. */
  mappings(): number {
    return this.#nft('list chain inet trunkline redirects').split('dnat').length - 1;
  }

  /** Makes the router drop the first UPnP search, and all of NAT-PMP. */
  dropFirstSearch(): void {
    for (const rule of ['5351 drop', '1900 quota 200 bytes counter drop'])
      this.#nft(`add rule inet trunkline input udp dport ${rule}`);
  }

  /** Returns the number of UPnP searches that the router has dropped. */
  droppedSearches(): number {
    return Number(/packets (\d+)/.exec(this.#nft('list chain inet trunkline input'))![1]);
  }

  async startNode(end: 'outer' | 'inner', ...args: string[]): Promise<NetworkNode> {
    const path = fileURLToPath(new URL('node.child.js', import.meta.url));
    const child = this.#spawn(end, process.execPath, [path, ...args]);
    child.stderr!.pipe(process.stderr);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const next = async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the process on the ${end} host has ended`);
      return JSON.parse(value);
    };
    await next();
    return {
      ask(command) {
        child.stdin!.write(`${command}\n`);
        return next();
      },
    };
  }

  #spawn(end: string, program: string, args: readonly string[]): ChildProcess {
    // 'ip netns exec' replaces itself with the program, so a signal reaches the program.
    const child = spawn('ip', ['netns', 'exec', this.#of(end), program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  async close(): Promise<void> {
    for (const child of [...this.#children]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    for (const end of ['outer', 'router', 'inner']) run(`ip netns del ${this.#of(end)}`);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Waits until a condition holds, for at most 15 s. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error(`not within 15 s: ${what}`);
}

function runs(command: string): boolean {
  try {
    run(command);
    return true;
  } catch {
    return false;
  }
}

function run(command: string): string {
  const [program = '', ...args] = command.split(' ');
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

let count = 0;
const SETTINGS = `ext_ifname=wan0
listening_ip=lan0
port=5000
enable_natpmp=yes
secure_mode=yes
uuid=7c5b2b1e-0000-4000-8000-000000000001
upnp_table_name=trunkline
upnp_nat_table_name=trunkline
upnp_forward_chain=forwards
upnp_nat_chain=redirects
upnp_nat_postrouting_chain=returns
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
const RULES = `table inet trunkline {
  chain input { type filter hook input priority 0; }
  chain forwards {}
  chain redirects {}
  chain returns {}
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan0" accept
    jump forwards
  }
  chain prerouting { type nat hook prerouting priority -100; jump redirects; }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump returns
    oifname "wan0" masquerade
  }
}
`;
