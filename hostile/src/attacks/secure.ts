// Attacks on TLS and noise themselves.

import { once } from 'node:events';
import { connect as connectNet } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Attack, AttackRun } from '../attack.ts';
import { AttackerConnection } from '../attacker-connection.ts';
import { CHANNEL, Method } from '../methods.ts';
import { NOISE_PREAMBLE } from '../noise-client.ts';
import { concat, frame, hello, Kind, PREAMBLE } from '../wire.ts';

export const secure: readonly Attack[] = [
  wrongCertificate('tls-no-certificate', 'presents no certificate', /^GO_AWAY 16\/15$/, {}),
  wrongCertificate(
    'tls-stranger',
    'presents a certificate of another authority',
    /^GO_AWAY 16\/15$/,
    'stranger',
  ),
  {
    name: 'tls-old-version',
    title: 'speaks TLS 1.2',
    cases: [87],
    carriers: ['tls', 'wss'],
    isBrief: true,
    answer: /^refused$/,
    async run(run) {
      while (run.goesOn()) {
        const { host, port, key, cert } = run.target;
        const socket = connect({
          host,
          port,
          key,
          cert,
          rejectUnauthorized: false,
          maxVersion: 'TLSv1.2',
        });
        const opened = await once(socket, 'secureConnect').then(
          () => true,
          () => false,
        );
        socket.destroy();
        if (opened) return 'taken';
      }
      return 'refused';
    },
  },
  {
    name: 'tls-plain-bytes',
    title: 'speaks without TLS to a port that requires it',
    cases: [89],
    carriers: ['tls', 'wss'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (run) => plain(run, concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }))),
  },
  {
    name: 'noise-plain',
    title: 'speaks without noise to a port that requires it',
    cases: [89],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (run) => plain(run, concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }))),
  },
  {
    name: 'noise-low-order',
    title: 'sends a key of low order',
    cases: [91],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (run) => plain(run, concat(NOISE_PREAMBLE, Uint8Array.of(0, 32), new Uint8Array(32))),
  },
  {
    name: 'noise-long-message',
    title: 'announces a handshake message of 64 KiB',
    cases: [2],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (run) =>
      plain(run, concat(NOISE_PREAMBLE, Uint8Array.of(0xff, 0xff), new Uint8Array(1_024))),
  },
  {
    name: 'noise-record-altered',
    title: 'changes a byte of a record',
    cases: [25],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const attacker = await run.admitted();
        const call = frame({ kind: Kind.request, id: 1, channel: CHANNEL, method: Method.echo });
        await attacker.push(call);
        attacker.socket.write(concat(Uint8Array.of(0, 32), new Uint8Array(32)));
        answer = await attacker.over();
      }
      return answer;
    },
  },
];

/** A peer with an unacceptable certificate; the victim rejects it before sending a hello. */
function wrongCertificate(
  name: string,
  title: string,
  answer: RegExp,
  credentials: ConnectionOptions | 'stranger',
): Attack {
  return {
    name,
    title,
    cases: [81],
    carriers: ['tls', 'wss'],
    isBrief: true,
    answer,
    async run(run) {
      let answer = 'nothing';
      while (run.goesOn()) {
        const { key, cert } =
          credentials === 'stranger' ? run.target.stranger : { key: '', cert: '' };
        const attacker = await AttackerConnection.connect({ ...run.target, key, cert });
        await attacker.push(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) })));
        answer = await attacker.over();
      }
      return answer;
    },
  };
}

/** Sends bytes on a bare socket; the answer is how the socket ends. */
async function plain(run: AttackRun, bytes: Uint8Array): Promise<string> {
  let answer = 'nothing';
  while (run.goesOn()) {
    const { host, port } = run.target;
    const socket = connectNet({ host, port });
    let ending = 'ended';
    socket.on('error', () => {
      ending = 'cut';
    });
    socket.resume();
    socket.write(bytes);
    await new Promise((resolve) => socket.on('close', resolve));
    answer = ending;
  }
  return answer;
}
