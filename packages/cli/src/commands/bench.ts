// trunkline bench: the latency and the rate of a method.

import { reflectedProtocol } from '@trunkline/admin/reflection';
import type { Protocol, Transport } from '@trunkline/transport-core';
import type { Command } from 'commander';
import { exitCodeOf, UsageError } from '../exit-codes.ts';
import { drawHistogram, percentile } from '../histogram.ts';
import { withNode } from '../node.ts';
import { duration, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount } from '../time.ts';
import { readRequest } from '../values.ts';
import { describe, emptyRequest, methodOf, splitMethod } from './call.ts';

interface BenchOptions {
  readonly count: string;
  readonly concurrency: string;
  readonly fromFile?: string | undefined;
}

export function addBench(program: Command, terminal: CliTerminal): void {
  program
    .command('bench')
    .summary('measure the latency and the rate of a method')
    .description(
      'Calls a unary method many times, and shows the rate, the percentiles of the latency, and a histogram. Before these calls, it makes a tenth as many without measuring them.',
    )
    .argument('<method>', "the method: 'protocol/method' or 'protocol.method'")
    .argument('[request]', "the request as JSON, or '-' to read it from the standard input")
    .option('-n, --count <number>', 'the number of calls, at most 10,000,000', '1000')
    .option('-c, --concurrency <number>', 'the number of calls at a time', '1')
    .option('--from-file <file>', 'read the request from a file')
    .action(
      async (name: string, text: string | undefined, options: BenchOptions, command: Command) =>
        withNode(command, terminal, async (node) => {
          const count = parseCount(options.count, '--count', 1, MOST);
          const concurrency = parseCount(options.concurrency, '--concurrency');
          const [protocolName, methodName] = splitMethod(name);
          const given = await readRequest(text, options.fromFile, terminal);
          const description = await describe(node, protocolName);
          const method = methodOf(description, methodName);
          if (method.kind !== 'unary')
            throw new UsageError(
              `bench calls unary methods; '${name}' is of the kind ${method.kind}`,
            );
          const request = given === undefined ? emptyRequest(method) : given;
          const protocol = await reflectedProtocol(description);
          const mount: Transport<Protocol> = node.transport.mount(protocol);
          const call = () => mount.send(node.target, methodName, request as never, node.call);
          await call(); // An invalid request fails here, with its own error.
          const result = await measure(call, count, concurrency, terminal);
          const isJson = command.optsWithGlobals()['json'] === true;
          await terminal.out(isJson ? `${toJson(summary(result))}\n` : format(result));
        }),
    );
}

const MOST = 10_000_000;

interface Result {
  /** The durations of the calls that succeeded in milliseconds, sorted. */
  readonly times: Float64Array;
  /** The number of failed calls, without those that were canceled. */
  readonly failed: number;
  /** The time from the start of the first measured call to the end of the last. */
  readonly milliseconds: number;
}

async function measure(
  call: () => Promise<unknown>,
  count: number,
  concurrency: number,
  { clock, interrupted }: CliTerminal,
): Promise<Result> {
  const times = new Float64Array(count);
  let done = 0;
  let failed = 0;
  const work = async (left: { calls: number }, isMeasured: boolean) => {
    while (left.calls-- > 0 && !interrupted.aborted) {
      const start = clock.now();
      try {
        await call();
        if (isMeasured) times[done++] = clock.now() - start;
      } catch (error) {
        if (exitCodeOf(error) === CANCELLED) return;
        if (isMeasured) failed++;
      }
    }
  };
  const all = (calls: number, isMeasured: boolean) => {
    const left = { calls };
    return Promise.all(Array.from({ length: concurrency }, () => work(left, isMeasured)));
  };
  await all(Math.ceil(count / 10), false);
  const start = clock.now();
  await all(count, true);
  return { times: times.slice(0, done).sort(), failed, milliseconds: clock.now() - start };
}

/** The exit code of a call that was canceled. */
const CANCELLED = 11;
const SHARES = [0.5, 0.9, 0.99, 0.999] as const;

function summary({ times, failed, milliseconds }: Result) {
  const percentiles = SHARES.map((share) => [`p${share * 100}`, percentile(times, share) ?? null]);
  return {
    calls: times.length,
    failed,
    rate: (1_000 * times.length) / milliseconds,
    milliseconds: Object.fromEntries([...percentiles, ['max', times.at(-1) ?? null]]),
  };
}

function format(result: Result): string {
  const { times, failed } = result;
  const { rate } = summary(result);
  const head = `${times.length} calls, ${failed} failed, ${Math.round(rate)} calls a second\n`;
  if (times.length === 0) return head;
  const shown = SHARES.map((share) => `p${share * 100} ${duration(percentile(times, share))}`);
  return `${head}${shown.join(', ')}, maximum ${duration(times.at(-1))}\n${drawHistogram(times)}`;
}
