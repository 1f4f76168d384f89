// A stub of an OTLP collector: an HTTP server that keeps what exporters send as JSON.

import { once } from 'node:events';
import { createServer } from 'node:http';

export interface Collector {
  /** The URL for an exporter: `http://127.0.0.1:port`. */
  readonly url: string;
  /** The bodies that were sent to a path, such as `/v1/metrics`. */
  received(path: string): readonly unknown[];
  close(): void;
}

export async function startCollector(): Promise<Collector> {
  const bodies: { readonly path: string; readonly body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push({ path: request.url!, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    received: (path) => bodies.filter((each) => each.path === path).map(({ body }) => body),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
