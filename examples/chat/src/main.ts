// `pnpm chat`: typed lines go to the room, received lines are printed.

import process from 'node:process';
import { createInterface } from 'node:readline';
import { type Chat, enter, type Screen } from './chat.ts';
import { HELP, parseOptions } from './options.ts';

const print = (text: string) => void process.stdout.write(`${text}\n`);
const screen: Screen = {
  line: (name, text) => print(`${new Date().toTimeString().slice(0, 8)} ${name}: ${plain(text)}`),
  note: (text) => print(`* ${plain(text)}`),
};

/** Removes control characters, so that others' lines cannot move our cursor. */
const plain = (text: string) => text.replace(/\p{Cc}/gu, ' ');

/** Runs the chat. Exit codes: 0 left, 1 could not enter, 2 wrong options. */
async function main(): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    return complain(`${(error as Error).message.split('. ')[0]} (--help shows the options)`, 2);
  }
  if (options === 'help') {
    print(HELP);
    return 0;
  }
  let chat: Chat;
  try {
    chat = await enter(options, screen);
  } catch (error) {
    return complain((error as Error).message, 1);
  }
  screen.note(
    `you are ${options.name} (${chat.nodeId.slice(0, 8)}) in room ${options.room}, listening at ${chat.address}`,
  );
  await talk(chat);
  await chat.close();
  return 0;
}

/** Sends lines until the end of the input, /quit, or a signal. */
async function talk(chat: Chat): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const leave = () => lines.close();
  // A second signal ends the process as usual.
  process.once('SIGINT', leave).once('SIGTERM', leave);
  for await (const text of lines) {
    if (text === '/quit') break;
    if (text === '/who') screen.note(`here: ${['you', ...chat.who()].join(', ')}`);
    else if (text.trim() !== '') chat.say(text).catch((error) => screen.note(error.message));
  }
  process.stdin.destroy();
}

function complain(text: string, code: number): number {
  process.stderr.write(`chat: ${text.replaceAll('\n', ' ')}\n`);
  return code;
}

process.exitCode = await main();
