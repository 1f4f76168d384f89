// A process under attack that runs what programs add to a transport: administration and tracing.

import { createAdmin } from '@trunkline/admin';
import { createTracing } from '@trunkline/telemetry/opentelemetry';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { MemoryPeak } from './memory-peak.ts';
import { serveCommands } from './parent-channel.ts';
import { victimProtocol } from './victim-protocol.ts';

export type ProgramCommand = { readonly do: 'start' } | { readonly do: 'mark' | 'look' };

export interface ProgramReport {
  readonly address: string;
  readonly port: number;
  /** Bytes now, and the most since the mark. */
  readonly rss: number;
  readonly peak: number;
  /** The most characters of attributes, links and states that one span was given since the mark. */
  readonly span: number;
  /** Spans since the mark that continue a trace of their caller. */
  readonly continued: number;
  /** The most characters of metadata that a call made by a handler carried since the mark. */
  readonly carried: number;
}

type Running = Awaited<ReturnType<typeof start>>;
let running: Running | undefined;

serveCommands<ProgramCommand, ProgramReport>(
  async (command) => {
    if (command.do === 'start') running = await start();
    else if (command.do === 'mark') running!.mark();
    return running!.look();
  },
  () => void running?.close(),
);

async function start() {
  let [span, continued, carried] = [0, 0, 0];
  const peak = new MemoryPeak();
  const tracer = {
    startSpan(_name: string, options: SpanOptions) {
      const states = options.links?.map(({ context }) => context.traceState?.serialize() ?? '');
      span = Math.max(span, JSON.stringify([options, states]).length);
      if (options.root === false) continued++;
      return new FakeSpan();
    },
  };
  const { interceptors } = createTracing({ tracerProvider: { getTracer: () => tracer } as never });
  const admin = createAdmin({ allow: () => true });
  const transport = createTransport('tcp://127.0.0.1:0', {
    protocol: victimProtocol,
    backends: [tcp()],
    observer: admin.observer,
    interceptors: {
      client: [
        ...interceptors.client,
        (next) => (call) => {
          carried = Math.max(carried, JSON.stringify(call.metadata).length);
          return next(call);
        },
      ],
      server: interceptors.server,
    },
  });
  serve(transport, {
    echo: (request: Uint8Array) => request,
    size: (request: Uint8Array) => request.length,
    // Calls on, as a service does that is in the middle of a trace.
    fail: (request: Uint8Array) => transport.send(transport.advertiseAddr(), 'echo', request),
  } as never);
  admin.serve({ transport, peers: { ...PEERS, list: () => PEERS.all } });
  await transport.listen();
  const address = transport.advertiseAddr();
  return {
    mark() {
      [span, continued, carried] = [0, 0, 0];
      peak.reset();
    },
    look: (): ProgramReport => ({
      address,
      port: Number(address.slice(address.lastIndexOf(':') + 1)),
      rss: process.memoryUsage.rss(),
      peak: peak.read(),
      ...{ span, continued, carried },
    }),
    close() {
      peak.stop();
      return transport.close();
    },
  };
}

/** The part of a span's options that depends on the caller. */
interface SpanOptions {
  readonly root?: boolean;
  readonly links?: readonly {
    readonly context: { readonly traceState?: { serialize(): string } };
  }[];
}

/** A span that keeps nothing. */
class FakeSpan {
  spanContext() {
    return { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
  }
  setAttribute(): this {
    return this;
  }
  setStatus(): this {
    return this;
  }
  end(): void {}
}

/** The peers of a node in the middle of a network. */
const PEERS = {
  all: Array.from({ length: 300 }, (_, at) => ({
    nodeId: at.toString(16).padStart(64, '0'),
    proven: true,
    persistent: false,
    direction: 'in' as const,
    score: 100,
    instance: `${at}`,
    status: { text: 'x'.repeat(200) },
    remote: { id: `in-${at}` } as never,
  })),
  nodeId: 'f'.repeat(64),
  events: () => (async function* () {})(),
  ban() {},
  unban() {},
};
