// trunkline proxy: a slow or broken line, to test how a program handles one.

import { systemRandom } from '@trunkline/transport-core';
import { parseHostPort } from '@trunkline/transport-core/backend';
import type { Command } from 'commander';
import { UsageError } from '../exit-codes.ts';
import { duration, say, size, toJson } from '../output.ts';
import { type CliTerminal, untilInterrupted } from '../terminal.ts';
import { parseTime } from '../time.ts';
import { type End, ToxicProxy, type Toxics } from '../toxic-proxy.ts';

interface ProxyOptions {
  readonly listen: string;
  readonly latency?: string | undefined;
  readonly jitter?: string | undefined;
  readonly rate?: string | undefined;
}

export function addProxy(program: Command, terminal: CliTerminal): void {
  program
    .command('proxy')
    .summary('put a slow or broken TCP line before a node')
    .description(
      'Passes connections on to a node over a line with faults. Keys change the faults: + and - change the latency by 50 ms, f and s double and halve the rate, b drops all bytes and n refuses new connections (each until pressed again), x resets all connections, 0 ends all faults, q ends the command.',
    )
    .argument('<to>', "the node: 'host:port'")
    .option('-l, --listen <host:port>', 'the address to listen on', '127.0.0.1:0')
    .option('--latency <time>', 'the latency to add in each direction')
    .option('--jitter <time>', 'how much the latency varies')
    .option('--rate <bytes>', "bytes a second in each direction: '64k', '1M'")
    .action(async (to: string, options: ProxyOptions, command: Command) => {
      const time = (text: string | undefined, option: string) =>
        text === undefined ? 0 : parseTime(text, option);
      const toxics: Toxics = {
        latency: time(options.latency, '--latency'),
        jitter: time(options.jitter, '--jitter'),
        rate: parseRate(options.rate),
        blackhole: false,
        refuse: false,
      };
      const proxy = new ToxicProxy(endOf(to, 1), toxics, terminal.clock, systemRandom);
      const listen = endOf(options.listen, 0);
      const port = await proxy.listen(listen);
      try {
        const address = `${listen.host}:${port}`;
        const asJson = command.optsWithGlobals()['json'] === true;
        await terminal.out(
          `${asJson ? toJson({ address, to }) : `listening on ${address}, passing on to ${to}`}\n`,
        );
        const show = () => say(command, terminal, describe(proxy), stateOf(proxy));
        show();
        await control(proxy, terminal, show);
      } finally {
        await proxy.close();
      }
    });
}

/** Follows the keys until the user ends the command. */
async function control(proxy: ToxicProxy, terminal: CliTerminal, show: () => void): Promise<void> {
  const { interrupted } = terminal;
  for await (const key of terminal.keys(interrupted)) {
    if (key === 'q') return;
    if (!press(proxy, key)) continue;
    proxy.changed();
    show();
  }
  // Without a keyboard, the line stays as it is.
  await untilInterrupted(terminal);
}

/** Changes the line; returns false for a key without a meaning. */
function press(proxy: ToxicProxy, key: string): boolean {
  const { toxics } = proxy;
  switch (key) {
    case '+':
      toxics.latency += STEP;
      return true;
    case '-':
      toxics.latency = Math.max(0, toxics.latency - STEP);
      return true;
    case 'f':
      toxics.rate *= 2;
      return true;
    case 's':
      toxics.rate = Number.isFinite(toxics.rate) ? toxics.rate / 2 : FIRST_RATE;
      return true;
    case 'b':
      toxics.blackhole = !toxics.blackhole;
      return true;
    case 'n':
      toxics.refuse = !toxics.refuse;
      return true;
    case 'x':
      proxy.reset();
      return true;
    case '0':
      Object.assign(toxics, HEALTHY);
      return true;
    default:
      return false;
  }
}

function stateOf({ toxics, connections, bytes }: ToxicProxy): Record<string, unknown> {
  return { ...toxics, rate: Number.isFinite(toxics.rate) ? toxics.rate : null, connections, bytes };
}

function describe({ toxics, connections, bytes }: ToxicProxy): string {
  const { latency, jitter, rate, blackhole, refuse } = toxics;
  return [
    `latency ${latency === 0 ? 'none' : duration(latency)}`,
    `jitter ${jitter === 0 ? 'none' : duration(jitter)}`,
    `rate ${Number.isFinite(rate) ? `${size(rate)}/s` : 'unlimited'}`,
    ...(blackhole ? ['losing all bytes'] : []),
    ...(refuse ? ['refusing connections'] : []),
    `${connections} connections, ${size(bytes)} passed`,
  ].join(', ');
}

function endOf(text: string, leastPort: number): End {
  const end = parseHostPort(text.replace(/^tcp:\/\//, ''));
  if (end !== undefined && end.host !== '' && end.port >= leastPort) return end;
  throw new UsageError(`expected an address as host:port, got '${text}'`);
}

function parseRate(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const match = /^(\d+(?:\.\d+)?)([kM])?$/.exec(text);
  const rate = match === null ? 0 : Number(match[1]) * ({ k: 1e3, M: 1e6 }[match[2] ?? ''] ?? 1);
  if (rate > 0) return rate;
  throw new UsageError(`--rate: expected bytes a second such as 64k or 1M, got '${text}'`);
}

const STEP = 50;
/** The rate that the first key press sets, in bytes per second. */
const FIRST_RATE = 1_000_000;
const HEALTHY: Toxics = {
  latency: 0,
  jitter: 0,
  rate: Number.POSITIVE_INFINITY,
  blackhole: false,
  refuse: false,
};
