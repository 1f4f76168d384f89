// A stub of an OTLP collector: an HTTP server that checks and keeps what exporters send as JSON.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { checkOtlp } from './otlp-schema.ts';

export interface Collector {
  /** The URL for an exporter: `http://127.0.0.1:port`. */
  readonly url: string;
  /**
   * Returns the bodies that were sent to a path, such as `/v1/metrics`. Throws an Error if one of
   * them does not follow the schema of OTLP.
   */
  received(path: string): readonly unknown[];
  close(): void;
}

export async function startCollector(): Promise<Collector> {
  const bodies: { readonly path: string; readonly body: unknown }[] = [];
  let mistake: unknown;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url!;
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    try {
      checkOtlp(path, body);
    } catch (error) {
      mistake ??= error;
    }
    bodies.push({ path, body });
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    received(path) {
      if (mistake !== undefined) throw mistake;
      return bodies.filter((each) => each.path === path).map(({ body }) => body);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
