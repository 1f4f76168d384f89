// Tests that real loggers write the text and the details of what `logEvents` tells them.

import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import test from 'ava';
import { pino } from 'pino';
import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  type Logger,
  logEvents,
  serve,
} from 'trunkline';
import winston from 'winston';
import { z } from 'zod';

/** The part of bunyan that is used here; its package has no types. */
const bunyan = createRequire(import.meta.url)('bunyan') as {
  createLogger(options: object): Logger;
  readonly stdSerializers: object;
};

/** The loggers, which write to a stream. */
const LOGGERS: Record<string, (stream: Writable) => Logger> = {
  console: (stream) => new Console(stream),
  pino: (stream) => pino({ level: 'debug' }, stream),
  'pino, a child': (stream) => pino({ level: 'debug' }, stream).child({ part: 'net' }),
  winston: (stream) =>
    winston.createLogger({
      level: 'debug',
      transports: [new winston.transports.Stream({ stream })],
    }),
  'winston, simple format': (stream) =>
    winston.createLogger({
      level: 'debug',
      format: winston.format.simple(),
      transports: [new winston.transports.Stream({ stream })],
    }),
  'winston, a child': (stream) =>
    winston
      .createLogger({ level: 'debug', transports: [new winston.transports.Stream({ stream })] })
      .child({ part: 'net' }),
  'winston, its module': (stream) => {
    winston.configure({ level: 'debug', transports: [new winston.transports.Stream({ stream })] });
    return winston;
  },
  bunyan: (stream) => bunyan.createLogger({ name: 'shop', level: 'debug', stream }),
  'bunyan, with serializers': (stream) =>
    bunyan.createLogger({
      name: 'shop',
      level: 'debug',
      stream,
      serializers: bunyan.stdSerializers,
    }),
};

const protocol = defineProtocol({
  name: 'shop',
  version: 1,
  channel: 0x20,
  methods: { tell: { id: 1, request: json(z.string()) } },
});

for (const [name, create] of Object.entries(LOGGERS))
  test(`${name} writes text, details and errors`, async (t) => {
    let written = '';
    const stream = new Writable({
      write(chunk, _, done) {
        written += chunk;
        done();
      },
    });
    const has = async (...parts: (string | RegExp)[]) => {
      // Some loggers write in a later turn.
      for (let turn = 0; turn < 1_000; turn++) {
        if (parts.every((part) => written.search(part) >= 0)) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      t.fail(`${parts.join(', ')} missing in: ${written}`);
    };
    const observer = logEvents(create(stream));
    const backends = [inmem()];
    const server = createTransport('inmem://shop', { protocol, backends, observer });
    const allow = () => {
      throw new TypeError('the list of members is gone');
    };
    serve(server, { tell: () => {} }, { allow });
    await server.listen();
    const client = createTransport({ protocol, backends, observer });
    await t.throwsAsync(client.dial('inmem://nobody'));
    await has(
      /a dial failed: .*inmem:\/\/nobody/,
      /"?target"?: ?['"]inmem:\/\/nobody['"]/,
      'unavailable',
    );
    await client.send('inmem://shop', 'tell', 'tea');
    await has("the callback 'allow' failed: the list of members is gone");
    if (name !== 'bunyan') await has(/loggers\.test\.[jt]s/); // the stack
    await client.close();
    await has('a connection is down', /"?endpoint"?: ?['"]inmem:/);
    t.notRegex(written, /\[object/);
    await server.close();
  });
