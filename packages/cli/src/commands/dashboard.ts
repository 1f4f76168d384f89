// trunkline dashboard: a page that shows nodes, live.

import { serveDashboard } from '@trunkline/admin/dashboard';
import type { Command } from 'commander';
import { UsageError } from '../exit-codes.ts';
import { checkAddress, type GlobalOptions, open, readSettings } from '../node.ts';
import { say, toJson } from '../output.ts';
import { type CliTerminal, untilInterrupted } from '../terminal.ts';
import { parseCount, parseTime } from '../time.ts';

interface DashboardCommandOptions {
  readonly host: string;
  readonly port: string;
  readonly interval: string;
  readonly allowChanges?: boolean | undefined;
  readonly open?: boolean | undefined;
}

export function addDashboard(program: Command, terminal: CliTerminal): void {
  program
    .command('dashboard')
    .summary('show nodes in a web page, live')
    .description(
      'Serves a page that shows the state of nodes, live and over the last ten minutes. It prints the address of the page, which includes a token. The same --token, --cert and --key are used for all nodes.',
    )
    .argument('[addresses...]', 'the nodes (default: that of --address or of the context)')
    .option('--host <host>', 'the host to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes a free one', '0')
    .option('--interval <time>', 'the time between two states', '1s')
    .option('--open', 'open the page in your browser')
    .option('--allow-changes', 'let the page disconnect, ban and drain, if the nodes allow it')
    .action(
      async (addresses: readonly string[], options: DashboardCommandOptions, command: Command) => {
        // As with --address, a context is not used for addresses that are given without --context.
        const [first] = addresses;
        const given: GlobalOptions = command.optsWithGlobals();
        const settings = await readSettings(
          { ...given, address: first ?? given.address },
          terminal,
        );
        const { address } = settings;
        if (address === undefined)
          throw new UsageError(
            'which nodes? Give their addresses, set TRUNKLINE_ADDRESS, or save one with: trunkline context add',
          );
        for (const each of addresses) checkAddress(each);
        const node = await open(settings, terminal);
        try {
          const dashboard = await serveDashboard(node.transport, {
            nodes: addresses.length > 0 ? addresses : [address],
            metadata: node.stream.metadata,
            host: options.host,
            port: parseCount(options.port, '--port', 0, 65_535),
            interval: parseTime(options.interval, '--interval'),
            readonly: options.allowChanges !== true,
          });
          try {
            const { url } = dashboard;
            const asJson = command.optsWithGlobals()['json'] === true;
            await terminal.out(asJson ? `${toJson({ url })}\n` : `open ${url}\n`);
            if (options.open === true)
              await terminal.browse(dashboard.ticket()).catch(({ message }) =>
                say(command, terminal, `--open: no browser started: ${message}`, {
                  warning: message,
                }),
              );
            await untilInterrupted(terminal);
          } finally {
            await dashboard.close();
          }
        } finally {
          await node.close();
        }
      },
    );
}
