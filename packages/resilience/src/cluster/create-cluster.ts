// Starts a cluster: checks the options, and chooses the kind of workers.

import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import type { MetricDefinition } from '@trunkline/telemetry';
import {
  type Clock,
  type Random,
  systemClock,
  systemRandom,
  TransportError,
} from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { clusterSlot } from './cluster-slot.ts';
import { processWorkers } from './process-workers.ts';
import { canSharePorts } from './reuse-port.ts';
import { Supervisor } from './supervisor.ts';
import { threadWorkers } from './thread-workers.ts';
import type { Cluster, ClusterEvent, ClusterOptions, ClusterWorkerKind } from './types.ts';

/**
 * Starts workers that serve one address together, and resolves when all of them have joined. A
 * worker that ends is replaced: immediately if it had served for 10 s, otherwise after a back-off
 * of 100 ms that doubles up to 30 s.
 *
 * Rejects if a worker fails to start three times, with the last failure: `failed_precondition` if
 * it has ended before it joined, `deadline_exceeded` if it has not joined in time. Also rejects
 * with `failed_precondition` if `kind` is 'thread' and listeners of this platform can't share a
 * port, or if it is called in a worker, and with a TypeError for invalid options. If it rejects, no
 * worker is left running.
 */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const config = parseOptions(schema, options, 'createCluster');
  if (cluster.isWorker || clusterSlot() !== undefined)
    throw new TransportError(
      'failed_precondition',
      'createCluster was called in a worker: call it in the main program, and joinCluster in the module of the workers',
    );
  const { worker, workers, args, env, startTimeout, hangTimeout, grace, overlap, onEvent } = config;
  const kind = await chosen(config.kind);
  const spawn = (kind === 'process' ? processWorkers : threadWorkers)({
    worker: worker as URL | string,
    args: args as readonly string[],
    env: env as Readonly<Record<string, string>>,
  });
  const supervisor = new Supervisor({
    kind,
    workers: workers ?? availableParallelism(),
    startTimeout,
    hangTimeout,
    grace,
    overlap,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    spawn,
    onEvent,
    definitions: await metricDefinitions(),
  });
  await supervisor.start();
  return supervisor;
}

/** Returns the metrics of a node; undefined if the optional package telemetry isn't installed. */
async function metricDefinitions(): Promise<readonly MetricDefinition[] | undefined> {
  try {
    return (await import('@trunkline/telemetry')).createMetrics().definitions;
  } catch {
    return undefined;
  }
}

async function chosen(kind: ClusterWorkerKind | 'auto'): Promise<ClusterWorkerKind> {
  if (kind === 'process') return kind;
  if (await canSharePorts()) return 'thread';
  if (kind === 'auto') return 'process';
  throw new TransportError(
    'failed_precondition',
    `createCluster: kind 'thread' needs listeners that share a port, which Node ${process.versions.node} on ${process.platform} has not: use Node 22.12 or newer on Linux, or kind 'process'`,
  );
}

const KINDS: readonly unknown[] = ['process', 'thread', 'auto'];

const schema = optionsSchema({
  worker: option.reference<URL | string>(
    (value) => value instanceof URL || (typeof value === 'string' && value !== ''),
    "the URL or path of a module, such as new URL('./worker.js', import.meta.url)",
  ),
  workers: option.optional(option.integer(1, 1_024)),
  kind: option.withDefault(
    option.reference<ClusterWorkerKind | 'auto'>(
      (value) => KINDS.includes(value),
      "'process', 'thread' or 'auto'",
    ),
    'process',
  ),
  args: option.withDefault(
    option.reference<readonly string[]>(
      (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
      'a list of strings',
    ),
    [],
  ),
  env: option.withDefault(
    option.reference<Readonly<Record<string, string>>>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'an object of strings',
    ),
    {},
  ),
  startTimeout: option.withDefault(option.milliseconds(), 30_000),
  hangTimeout: option.optional(option.milliseconds()),
  grace: option.withDefault(option.milliseconds(), 10_000),
  overlap: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    true,
  ),
  onEvent: option.optional(option.callback<(event: ClusterEvent) => void>()),
  clock: option.optional(
    option.reference<Clock>(
      (value) => typeof (value as Clock | null)?.now === 'function',
      'a Clock',
    ),
  ),
  random: option.optional(option.callback<Random>()),
});
