// The command line of the chat.

import { parseArgs } from 'node:util';

export interface ChatOptions {
  readonly name: string;
  readonly listen: string;
  readonly join: readonly string[];
  readonly room: string;
  readonly overlay: 'mesh' | 'tree';
  readonly transport: 'tcp' | 'ws';
  /** Undefined: a new id at each start. */
  readonly key: string | undefined;
}

export const HELP = `Usage: pnpm chat --name <name> [options]

A chat room across processes. Every line that you type is sent to everybody in the room.

  --name <name>         your name, as others see it
  --listen <host:port>  the address that others dial (default: 127.0.0.1:0, any free port)
  --join <host:port>    the address of somebody in the room, through whom you find the others;
                        may be repeated
  --room <room>         the room (default: lobby)
  --overlay <overlay>   mesh: everybody sends to everybody. tree: each node keeps a few links, and messages
                        travel along a tree of them. Use the same for all in a room (default: mesh)
  --transport <name>    tcp or ws, both encrypted; everybody proves their id (default: tcp)
  --key <file>          the file of your key, created if it does not exist. With it you keep your id when
                        you return; the peers that you know are saved in <file>.peers
  --help                this text

In the room, /who lists the people in it; /quit, Ctrl-C or Ctrl-D leaves.`;

/** Returns the options, or 'help'. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: readonly string[]): ChatOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'), // Arrives with `pnpm chat -- --name ada`.
    options: {
      name: { type: 'string' },
      listen: { type: 'string' },
      join: { type: 'string', multiple: true },
      room: { type: 'string' },
      overlay: { type: 'string' },
      transport: { type: 'string' },
      key: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  return {
    name: label('--name', values.name),
    listen: values.listen ?? '127.0.0.1:0',
    join: values.join ?? [],
    room: label('--room', values.room ?? 'lobby'),
    overlay: oneOf('--overlay', values.overlay ?? 'mesh', ['mesh', 'tree'] as const),
    transport: oneOf('--transport', values.transport ?? 'tcp', ['tcp', 'ws'] as const),
    key: values.key,
  };
}

/** Checks one line of text that people read. */
function label(option: string, text: string | undefined): string {
  if (text === undefined) throw new Error(`${option} is missing`);
  if (/^[^\p{Cc}]{1,40}$/u.test(text.trim())) return text.trim();
  throw new Error(
    `${option}: expected 1 to 40 characters of one line, got ${JSON.stringify(text)}`,
  );
}

function oneOf<const T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined)
    throw new Error(`${option}: expected ${allowed.join(' or ')}, got '${text}'`);
  return found;
}
