// Tests with Debian's Prometheus, which scrapes a cluster over TLS: each query of the dashboard and
// of the alert rules finds its metrics.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Cluster, startCluster } from './testing/cluster.ts';
import { type PrometheusServer, startPrometheus, unable } from './testing/prometheus-server.ts';

const FOLDER = join(import.meta.dirname, '../..');
const RULES = join(FOLDER, 'alerts.yml');
const reason = unable();

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly name: string;
      readonly query: string;
      readonly health: string;
      readonly state: string;
    }[];
  }[];
}

interface Result {
  readonly result: readonly {
    readonly metric: object;
    readonly value: readonly [number, string];
  }[];
}

withPrometheus('each query of the dashboard finds its metrics', async (t, { query }) => {
  const path = join(FOLDER, 'grafana-dashboard.json');
  const { panels } = JSON.parse(readFileSync(path, 'utf8')) as Dashboard;
  t.true(panels.length > 20);
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const filled = expr
        .replaceAll('$__rate_interval', '1m')
        .replaceAll('$job', 'trunkline')
        .replaceAll('$instance', '.+');
      // A cluster without faults has no failures to show.
      const isFault = /connection_closed|peer_rejected/.test(expr);
      t.true((await query(filled)).length >= (isFault ? 0 : 1), `${title}: ${filled}`);
    }
  }
});

withPrometheus('the alert rules are evaluated, and notice that calls fail', async (t, all) => {
  const { groups } = await all.prometheus.ask<Rules>('/api/v1/rules');
  const { rules } = groups[0]!;
  t.true(rules.length >= 10);
  for (const { name, health, state } of rules)
    t.deepEqual(
      [name, health, state],
      [name, 'ok', name === 'TrunklineCallsFail' ? 'pending' : 'inactive'],
    );
  for (const { name, query } of rules) {
    // A rule that has a value once its threshold is removed names metrics and labels that exist.
    const value = query.replace(/ (==|>|<) [\d.* ]+( and on [\s\S]*)?$/, '');
    const isFault = /peer_rejected/.test(query) || name === 'TrunklineStreamsBlocked';
    t.true((await all.query(value)).length >= (isFault ? 0 : 1), `${name}: ${value}`);
  }
});

withPrometheus('calls are counted by method and code', async (t, { query }) => {
  const sum = async (labels: string) =>
    Number((await query(`sum(rpc_server_call_duration_seconds_count{${labels}})`))[0]?.value[1]);
  t.true((await sum('rpc_method="kv/get",rpc_status_code="ok"')) >= 3);
  t.true((await sum('rpc_method="kv/miss",error_type="not_found"')) >= 3);
});

interface Fixture {
  readonly cluster: Cluster;
  readonly prometheus: PrometheusServer;
  query(expression: string): Promise<Result['result']>;
}

let shared: Promise<Fixture> | undefined;

/** Runs a test with a cluster and a Prometheus that has scraped it twice; all tests share them. */
function withPrometheus(
  title: string,
  run: (t: ExecutionContext, with_: Fixture) => Promise<void>,
) {
  if (reason !== undefined) return test.skip(`${title} (skipped: ${reason})`, () => {});
  test.serial(title, async (t) => {
    t.timeout(60_000);
    shared ??= start();
    await run(t, await shared);
  });
}

async function start(): Promise<Fixture> {
  const cluster = await startCluster();
  const prometheus = await startPrometheus(cluster.targets, RULES);
  const query = async (expression: string) =>
    (await prometheus.ask<Result>(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result;
  const fixture = { cluster, prometheus, query };
  // A rate needs two scrapes.
  const scrapes = 'min(count_over_time(trunkline_memory_limit_bytes[1m]))';
  while (!(Number((await query(scrapes))[0]?.value[1]) >= 3)) await cluster.work();
  return fixture;
}

test.after.always(async () => {
  const fixture = await shared?.catch(() => undefined);
  await fixture?.prometheus.stop();
  await fixture?.cluster.close();
});
