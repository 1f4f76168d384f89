// Tests the suite of stream layers itself: four cases pass on pipes, and fail on layers that lose
// small chunks or the last one, or deliver too early.

import type { StreamConnection, StreamLayer, StreamSink } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { TestContext } from '../test-runner.ts';
import { createPipes } from '../testing/pipes.ts';
import { streamLayerSuite } from './stream-layer-suite.ts';

/** Returns the faulty methods of a connection. */
type Break = (inner: StreamConnection) => Partial<StreamConnection>;

/** Loses the chunks after the thousandth of each turn. */
const losesMany: Break = (inner) => {
  let written = 0;
  return {
    write(chunk) {
      if (written === 0) setImmediate(() => void (written = 0));
      return ++written > 1_000 || inner.write(chunk);
    },
  };
};

/** Takes the path for lost after a thousand chunks of one or two bytes in a row. */
const losesPath: Break = (inner) => {
  let tiny = 0;
  return {
    write(chunk) {
      tiny = chunk.length <= 2 ? tiny + 1 : 0;
      if (tiny < 1_000) return inner.write(chunk);
      inner.destroy();
      return true;
    },
  };
};

/** Sends chunks in the next turn, but drops those that still wait 10 ms after `close`. */
const dropsLast: Break = (inner) => {
  const queue: Uint8Array[] = [];
  const flush = () => {
    for (const chunk of queue.splice(0)) inner.write(chunk);
  };
  return {
    write(chunk) {
      queue.push(chunk.slice());
      setImmediate(flush);
      return true;
    },
    close() {
      setTimeout(() => queue.splice(0), 10);
      setImmediate(() => inner.close());
    },
  };
};

let acceptor: StreamSink | undefined;

/** Delivers what the dialer writes inside the call of `write`; the first layer listens. */
const deliversInside: Break = (inner) =>
  inner.endpoint === 'pipe-1'
    ? {
        write(chunk) {
          acceptor?.data(chunk.slice());
          return true;
        },
      }
    : {
        attach(sink) {
          acceptor = sink;
          inner.attach(sink);
        },
      };

for (const [title, fault, breaks] of [
  [
    'thousands of small chunks arrive in order at a slow reader, in both directions',
    'loses all but a thousand chunks of a turn',
    losesMany,
  ],
  [
    'bytes written one or two at a time arrive in order, in both directions at once',
    'takes the path for lost after many small chunks',
    losesPath,
  ],
  [
    'a last chunk arrives before the end, however busy the process is',
    'drops what waits for the end in a busy process',
    dropsLast,
  ],
  [
    'nothing is reported while write, pause, resume or close run',
    'delivers inside the write of a dialer',
    deliversInside,
  ],
] as const) {
  test(`pipes pass the case: ${title}`, (t) => caseOf(title, () => ({}))(t));

  test(`a layer that ${fault} fails the case: ${title}`, async (t) => {
    const attempt = await t.try((inner) => caseOf(title, breaks)(inner));
    attempt.discard();
    t.false(attempt.passed);
  });
}

/** Returns the case with this title, on pipes whose connections have these methods. */
function caseOf(wanted: string, breaks: Break): (t: TestContext) => void | Promise<void> {
  const cases = new Map<string, (t: TestContext) => void | Promise<void>>();
  streamLayerSuite((title, run) => void cases.set(title, run), {
    name: 'pipes',
    stallTimeout: 500,
    make() {
      const pipes = createPipes();
      return { layer: () => broken(pipes.layer(), breaks), malformed: [''] };
    },
  });
  return cases.get(`pipes: ${wanted}`)!;
}

function broken(layer: StreamLayer, breaks: Break): StreamLayer {
  const wrap = (inner: StreamConnection): StreamConnection => ({
    endpoint: inner.endpoint,
    attach: (sink) => inner.attach(sink),
    write: (chunk) => inner.write(chunk),
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: () => inner.close(),
    destroy: (error) => inner.destroy(error),
    ...breaks(inner),
  });
  return {
    listen: (accept) => layer.listen((connection) => accept(wrap(connection))),
    dial: async (address, options) => wrap(await layer.dial(address, options)),
    localAddr: () => layer.localAddr(),
    advertiseAddr: () => layer.advertiseAddr(),
    close: () => layer.close(),
  };
}
