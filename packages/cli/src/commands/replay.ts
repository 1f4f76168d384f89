// trunkline replay: the page and the report of a recorded simulation.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseRecording, replayPage, replayText } from '@trunkline/admin/replay';
import { fileError } from '@trunkline/transport-core/node';
import type { Command } from 'commander';
import { UsageError } from '../exit-codes.ts';
import { toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { readText } from '../values.ts';

export function addReplay(program: Command, terminal: CliTerminal): void {
  program
    .command('replay')
    .summary('show a recorded simulation')
    .description(
      'Writes a page that shows a recorded simulation step by step, and prints why the simulation failed, and the state of every node at the end. A search (explore) records its first failure in the file that the environment variable RECORD names.',
    )
    .argument('<file>', 'the recording, in JSON')
    .option('-o, --out <path>', 'the path of the page; default: that of the recording, with .html')
    .action(async (file: string, { out }: { out?: string }, command: Command) => {
      const recording = parse(file, await readText(file));
      const path = resolve(out ?? `${file.replace(/\.json$/, '')}.html`);
      await writeFile(path, replayPage(recording)).catch((error) => {
        throw fileError(error, '--out', path);
      });
      const { seed, hash, failure, search, nodes } = recording;
      const page = pathToFileURL(path).href;
      if (command.optsWithGlobals()['json'] === true)
        await terminal.out(`${toJson({ page, seed, hash, failure, search, nodes })}\n`);
      else await terminal.out(`${replayText(recording)}\npage: ${page}\n`);
    });
}

function parse(file: string, text: string): ReturnType<typeof parseRecording> {
  try {
    return parseRecording(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
