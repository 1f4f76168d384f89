// Attacks that only a WebSocket allows: on the upgrade, and on the rules of RFC 6455.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackRun } from '../attack.ts';
import { WEB_SOCKETS } from '../carriers.ts';
import { upgradeRequest, WebSocketReader, webSocketFrame } from '../web-socket-client.ts';
import { concat, frame, hello, Kind, PREAMBLE, repeat, text } from '../wire.ts';

export const webSocket: readonly Attack[] = [
  upgrade('ws-no-protocol', 'offers no sub-protocol', [127], 400, { 'Sec-WebSocket-Protocol': '' }),
  upgrade('ws-other-protocol', 'offers another sub-protocol', [127], 400, {
    'Sec-WebSocket-Protocol': 'mqtt',
  }),
  upgrade('ws-bad-key', 'sends an invalid key', [127, 129], 400, {
    'Sec-WebSocket-Key': 'short',
  }),
  upgrade('ws-other-version', 'speaks version 7 of WebSocket', [127], 400, {
    'Sec-WebSocket-Version': '7',
  }),
  {
    name: 'ws-other-origin',
    title: 'connects from a web page that is not on the list',
    cases: [128],
    carriers: WEB_SOCKETS,
    victim: { origins: ['https://app.example'] },
    answer: /^GO_AWAY 7\/11$/,
    // Garbage of the connections that have ended, as in connect-cycles.
    memory: 16 * 1024 * 1024,
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.connect({ Origin: 'https://evil.example' });
        attacker.send(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) })));
        await attacker.until(() => attacker.goAway !== undefined);
        answer = attacker.outcome();
      }
      return answer;
    },
  },
  upgrade('ws-other-host', 'names another host, as in DNS rebinding', [128], 403, {
    Host: 'evil.example',
  }),
  upgrade('ws-giant-header', 'sends a header of 64 KiB', [129], '4(00|31)', {
    'X-Large': 'x'.repeat(65_536),
  }),
  speaking('ws-too-large', 'announces a message of 2 MiB', [125], 1009, () =>
    Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0),
  ),
  speaking('ws-top-bit', 'announces a message of 2^63 bytes', [125], 1009, () =>
    Uint8Array.of(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0),
  ),
  speaking('ws-unmasked', 'sends a frame without a mask', [126], 1002, () =>
    webSocketFrame(new Uint8Array(8), { masked: false }),
  ),
  speaking('ws-text', 'sends a text', [130], 1003, () =>
    webSocketFrame(text('hello'), { opcode: 1 }),
  ),
  speaking('ws-text-bad-utf8', 'sends a text that is not UTF-8', [130], 1007, () =>
    webSocketFrame(Uint8Array.of(0xff, 0xfe), { opcode: 1 }),
  ),
  speaking('ws-ping-fragment', 'splits a ping into fragments', [131], 1002, () =>
    webSocketFrame(new Uint8Array(8), { opcode: 9, final: false }),
  ),
  speaking('ws-ping-long', 'sends a ping of 126 bytes', [131], 1002, () =>
    webSocketFrame(new Uint8Array(126), { opcode: 9 }),
  ),
  speaking('ws-close-1005', 'closes with code 1005', [131], 1002, () =>
    webSocketFrame(Uint8Array.of(0x03, 0xed), { opcode: 8 }),
  ),
  speaking('ws-opcode', 'uses a reserved opcode', [131], 1002, () =>
    webSocketFrame(new Uint8Array(8), { opcode: 5 }),
  ),
  speaking('ws-fragments', 'sends a message in 2,000 fragments', [19], 1008, () =>
    concat(
      webSocketFrame(Uint8Array.of(1), { final: false }),
      repeat(webSocketFrame(Uint8Array.of(1), { opcode: 0, final: false }), 2_000),
    ),
  ),
  {
    name: 'ws-ping-flood',
    title: 'sends WebSocket pings and reads none of the pongs',
    cases: [47, 58],
    carriers: WEB_SOCKETS,
    rounds: 200,
    memory: 16 * 1024 * 1024,
    answer: /^(cut|ended|close \d+|nothing)$/,
    async run(run) {
      const attacker = await run.admitted();
      const bytes = repeat(webSocketFrame(new Uint8Array(125), { opcode: 9 }), 1_000);
      attacker.socket.pause();
      while (run.goesOn() && !attacker.isOver) {
        if (!attacker.socket.write(bytes))
          await Promise.race([attacker.line.drained(), sleep(run.isShort ? 50 : 200)]);
        if (attacker.socket.writableLength > MOST_QUEUED) break;
      }
      return attacker.outcome();
    },
  },
];

/** An upgrade that the victim answers with an HTTP status. */
function upgrade(
  name: string,
  title: string,
  cases: readonly number[],
  status: number | string,
  headers: Readonly<Record<string, string>>,
): Attack {
  return {
    name,
    title,
    cases,
    carriers: WEB_SOCKETS,
    isBrief: true,
    answer: new RegExp(`^HTTP ${status}`),
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) answer = await ask(run, headers);
      return answer;
    },
  };
}

async function ask(run: AttackRun, headers: Readonly<Record<string, string>>): Promise<string> {
  const { host, port } = run.target;
  const socket = await run.socket();
  const reader = new WebSocketReader();
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      reader.push(chunk);
      if (reader.status !== 0) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.write(upgradeRequest('/', { Host: `${host}:${port}`, ...headers }));
  await answered;
  socket.destroy();
  return reader.status === 0 ? 'cut' : `HTTP ${reader.status}`;
}

/**
 * Bytes that an admitted peer sends below its session, and the close code that they cause. The
 * attacker never answers the close.
 */
function speaking(
  name: string,
  title: string,
  cases: readonly number[],
  code: number,
  bytes: () => Uint8Array,
): Attack {
  return {
    name,
    title,
    cases: [...cases, 132],
    carriers: WEB_SOCKETS,
    isBrief: true,
    answer: new RegExp(`^close ${code}$`),
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.admitted();
        attacker.socket.write(bytes());
        await attacker.until(() => attacker.line.closeCode !== 0);
        answer = attacker.outcome();
      }
      return answer;
    },
  };
}

const MOST_QUEUED = 64 * 1024 * 1024;
