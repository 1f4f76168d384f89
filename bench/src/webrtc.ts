// The benchmark of WebRTC and WebSocket beside bare data channels and bare sockets, with clients in
// Node and in Chromium. Exit code 1 if a bar is missed.

import { runCommand } from './arguments.ts';
import { pinned } from './cores.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';
import { unable } from './webrtc/chromium.ts';
import { type Options, readOptions, USAGE } from './webrtc/options.ts';
import { formatTable, judge } from './webrtc/report.ts';
import { runRounds } from './webrtc/rounds.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(asked: Options): Promise<void> {
  const reason = unable();
  const options =
    reason === undefined
      ? asked
      : { ...asked, places: asked.places.filter((place) => place !== 'chromium') };
  if (options !== asked) console.error(`skipped: clients in Chromium: ${reason}`);
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds, options);
  if (options.json)
    console.log(
      JSON.stringify(
        {
          node: process.version,
          options,
          rounds: rounds.map((round) =>
            Object.fromEntries([...round].map(([place, row]) => [place, Object.fromEntries(row)])),
          ),
          verdicts,
        },
        null,
        2,
      ),
    );
  else {
    console.log(
      `Node ${process.versions.node}, ${pinned() ? 'server and client in Node on a core each' : 'not pinned to cores'}, ${options.rounds} rounds of ${options.window} ms a task: medians, and in brackets those of the ratios within a round\n`,
    );
    console.log(`${formatTable(rounds, options)}\n`);
    console.log(options.smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
