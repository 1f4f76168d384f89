// trunkline disconnect, ban, unban, drain and log-level: changes of a node, by its admin protocol.

import { TransportError } from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';
import { Argument, type Command } from 'commander';
import { UsageError } from '../exit-codes.ts';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseTime } from '../time.ts';

interface ReasonOption {
  readonly reason?: string | undefined;
}

export function addControl(program: Command, terminal: CliTerminal): void {
  const change = changes(terminal);
  program
    .command('disconnect')
    .summary('close connections of a node')
    .description(
      `Closes one connection of a node by its id, or all its connections to an address or a node id, in an orderly way. ${NEEDS}`,
    )
    .argument('<connection>', "the id of a connection, such as 'in-3', an address, or a node id")
    .option('--reason <text>', 'a text for the other end')
    .action(async (which: string, { reason }: ReasonOption, command: Command) =>
      change(
        command,
        (node) =>
          node
            .admin()
            .disconnect(
              CONNECTION_ID.test(which) ? { connection: which, reason } : { target: which, reason },
              node.call,
            ),
        ({ connections }) => `closed ${connections} ${connections === 1 ? ONE : MANY}`,
      ),
    );
  program
    .command('ban')
    .summary('disconnect a peer of a node, and refuse it for a time')
    .description(
      `Disconnects a peer of a node, and refuses the peer for the given time. ${NEEDS} The node must have peers.`,
    )
    .argument('<node-id>', 'the id of the peer: 64 hex digits')
    .option('--time <time>', "how long: '10m', '24h' (default: 24 hours)")
    .option('--reason <text>', 'a text for the log of the node')
    .action(async (nodeId: string, options: ReasonOption & { time?: string }, command: Command) => {
      const { time, reason } = options;
      checkNodeId(nodeId);
      const milliseconds = time === undefined ? undefined : parseTime(time, '--time');
      await change(
        command,
        (node) => node.admin().ban({ nodeId, time: milliseconds, reason }, node.call),
        () => 'banned',
      );
    });
  program
    .command('unban')
    .summary('end the ban of a peer')
    .description(`Ends the ban of a peer, which may then connect again. ${NEEDS}`)
    .argument('<node-id>', 'the id of the peer: 64 hex digits')
    .action(async (nodeId: string, _: object, command: Command) => {
      checkNodeId(nodeId);
      await change(
        command,
        (node) => node.admin().unban({ nodeId }, node.call),
        () => 'no longer banned',
      );
    });
  program
    .command('drain')
    .summary('take a node out of service')
    .description(
      `Makes a node refuse new calls, and waits until its calls in flight have ended, or the grace period is over. A drain can't be undone. ${NEEDS}`,
    )
    .option('--grace <time>', "the longest wait: '30s' (default: 10 seconds)")
    .action(async ({ grace }: { grace?: string }, command: Command) => {
      const milliseconds = grace === undefined ? undefined : parseTime(grace, '--grace');
      await change(
        command,
        (node) => node.admin().drain({ grace: milliseconds }, node.stream),
        () => 'drained',
      );
    });
  program
    .command('log-level')
    .summary('set the level of the log of a node')
    .description(
      `Sets the log level of a node, and prints the previous one. ${NEEDS} The node must have passed its log to its admin protocol.`,
    )
    .addArgument(new Argument('<level>', 'the level').choices(LEVELS))
    .action(async (level: (typeof LEVELS)[number], _: object, command: Command) =>
      change(
        command,
        (node) => node.admin().logLevel({ level }, node.call),
        ({ before }) => `${level}, before ${before}`,
      ),
    );
}

const NEEDS = 'The node must allow changes (readonly: false).';
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** The form of the ids that a transport gives its connections (transport-core's engine.ts). */
const CONNECTION_ID = /^(in|out)-\d+$/;
const NODE_ID = /^[0-9a-f]{64}$/;
const ONE = 'connection';
const MANY = 'connections';

function checkNodeId(text: string): void {
  if (NODE_ID.test(text)) return;
  throw new UsageError(
    `expected a node id of 64 hex digits, got '${text}'; trunkline peers shows the ids`,
  );
}

/** Returns a function that makes a change, and prints the answer without control characters. */
function changes(terminal: CliTerminal) {
  return <Answer>(
    command: Command,
    make: (node: NodeConnection) => Promise<Answer>,
    describe: (answer: Answer) => string,
  ): Promise<void> =>
    withNode(command, terminal, async (node) => {
      const answer = await make(node).catch((error) => {
        // The message of a denial already names the reason: a rule of the node, or a node that is
        // read-only for tools.
        const isDenied = error instanceof TransportError && error.code === 'permission_denied';
        throw isDenied ? error : explain(error, 'admin');
      });
      const asJson = command.optsWithGlobals()['json'] === true;
      await terminal.out(`${asJson ? toJson(answer) : cleanText(describe(answer))}\n`);
    });
}
