// trunkline signal: a signaling hub, through which WebRTC nodes find each other.

import { createTransport } from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import type { Command } from 'commander';
import { checked } from '../exit-codes.ts';
import { toJson } from '../output.ts';
import { type CliTerminal, untilInterrupted } from '../terminal.ts';

interface SignalOptions {
  readonly bind: string;
  readonly advertise?: string | undefined;
  readonly dialed?: readonly string[] | undefined;
  readonly realm?: readonly string[] | undefined;
  readonly origin?: readonly string[] | undefined;
  readonly relay?: boolean | undefined;
}

export function addSignal(program: Command, terminal: CliTerminal): void {
  program
    .command('signal')
    .summary('run a signaling hub for WebRTC nodes')
    .description(
      'Runs a signaling hub, with which WebRTC nodes find each other. It serves plain WebSocket: put it behind a TLS proxy for wss://.',
    )
    .option('--bind <host:port>', 'the address to listen on', '127.0.0.1:2443')
    .option('--advertise <address>', 'the ws:// address that nodes dial, if --bind is 0.0.0.0')
    .option('--dialed <addresses...>', 'the addresses at which nodes dial the hub (default: any)')
    .option('--realm <names...>', 'the realms in which nodes may register (default: any)')
    .option('--origin <origins...>', 'the web pages that may connect (default: any)')
    .option('--relay', "relay streams between nodes that can't connect directly")
    .action(async (options: SignalOptions, command: Command) => {
      const { bind, advertise, dialed, realm, origin, relay } = options;
      const transport = checked(() =>
        createTransport(`ws://${bind}`, {
          protocol: signalingProtocol,
          advertiseAddr: advertise,
          backends: [ws({ origins: origin })],
        }),
      );
      const hub = createSignalHub({
        transport,
        addresses: dialed,
        realms: realm,
        relay: relay === true ? {} : undefined,
      });
      try {
        await transport.listen();
        const address = transport.localAddr();
        const asJson = command.optsWithGlobals()['json'] === true;
        await terminal.out(
          asJson ? `${toJson({ address })}\n` : `the signaling hub listens on ${address}\n`,
        );
        await untilInterrupted(terminal);
      } finally {
        await hub.close();
        await transport.close();
      }
    });
}
