// Attacks on TLS and noise themselves.

import { once } from 'node:events';
import { connect as connectNet } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import type { Attack, Field } from '../attack.ts';
import { Enemy } from '../enemy.ts';
import { CHANNEL, Method } from '../methods.ts';
import { NOISE_PREAMBLE } from '../noise-client.ts';
import { concat, frame, hello, Kind, PREAMBLE } from '../wire.ts';

export const secure: readonly Attack[] = [
  stranger('tls-no-certificate', 'shows no certificate', /^GO_AWAY 16\/15$/, {}),
  stranger(
    'tls-stranger',
    'shows a certificate of another authority',
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
    async run(field) {
      while (field.goesOn()) {
        const { host, port, key, cert } = field.target;
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
    title: 'speaks without TLS to a port that wants it',
    cases: [89],
    carriers: ['tls', 'wss'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (field) => plain(field, concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }))),
  },
  {
    name: 'noise-plain',
    title: 'speaks without noise to a port that wants it',
    cases: [89],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (field) => plain(field, concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) }))),
  },
  {
    name: 'noise-low-order',
    title: 'gives a key of low order',
    cases: [91],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (field) => plain(field, concat(NOISE_PREAMBLE, Uint8Array.of(0, 32), new Uint8Array(32))),
  },
  {
    name: 'noise-long-message',
    title: 'announces a handshake message of 64 KiB',
    cases: [2, 92],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    run: (field) =>
      plain(field, concat(NOISE_PREAMBLE, Uint8Array.of(0xff, 0xff), new Uint8Array(1_024))),
  },
  {
    name: 'noise-record-altered',
    title: 'changes a byte of a record',
    cases: [25],
    carriers: ['noise'],
    isBrief: true,
    answer: /^(ended|cut)$/,
    async run(field) {
      let answer = 'nothing';
      while (field.goesOn()) {
        const enemy = await field.admitted();
        const call = frame({ kind: Kind.request, id: 1, channel: CHANNEL, method: Method.echo });
        await enemy.push(call);
        enemy.socket.write(concat(Uint8Array.of(0, 32), new Uint8Array(32)));
        answer = await enemy.over();
      }
      return answer;
    },
  },
];

/** A peer with an unacceptable certificate; the victim rejects it before sending a hello. */
function stranger(
  name: string,
  title: string,
  answer: RegExp,
  paper: ConnectionOptions | 'stranger',
): Attack {
  return {
    name,
    title,
    cases: [81],
    carriers: ['tls'],
    isBrief: true,
    answer,
    async run(field) {
      let answer = 'nothing';
      while (field.goesOn()) {
        const { key, cert } = paper === 'stranger' ? field.target.stranger : { key: '', cert: '' };
        const enemy = await Enemy.connect({ ...field.target, key, cert });
        await enemy.push(concat(PREAMBLE, frame({ kind: Kind.hello, hello: hello({}) })));
        answer = await enemy.over();
      }
      return answer;
    },
  };
}

/** Sends bytes on a bare socket; the answer is how the socket ends. */
async function plain(field: Field, bytes: Uint8Array): Promise<string> {
  let answer = 'nothing';
  while (field.goesOn()) {
    const { host, port } = field.target;
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
