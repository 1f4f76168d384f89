// Debian's Prometheus, which scrapes nodes on the loopback interface.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Returns the reason why Prometheus cannot be started on this machine; undefined if it can. */
export function unable(): string | undefined {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return "prometheus is missing (Debian's package prometheus)";
  }
}

export interface PrometheusServer {
  /** Calls the HTTP API and returns the data of its answer. */
  ask<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Starts a Prometheus that scrapes the targets each second.
 *
 * @param targets `host:port` of each node.
 * @param rules the path of a file with alert rules.
 */
export async function startPrometheus(
  targets: readonly string[],
  rules: string,
): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-prometheus-'));
  const port = await unusedPort();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'trunkline', static_configs: [{ targets }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const stop = async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  const log: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    log.push(line);
    if (!line.includes('Server is ready')) continue;
    child.stderr.resume();
    return { ask: (path) => ask(`http://127.0.0.1:${port}${path}`), stop };
  }
  await stop();
  throw new Error(`prometheus has ended:\n${log.join('\n')}`);
}

async function ask<T>(url: string): Promise<T> {
  const answer = (await (await fetch(url)).json()) as { status: string; data: T; error?: string };
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error}`);
  return answer.data;
}

/** Returns an unused port, because Prometheus can't choose a port itself. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
