// The code inside a worker of `explore`: it loads the module of the scenario and runs the
// requested seeds.

import { describeError } from '../kernel/event-loop.ts';
import { LocalRunner } from './local-runner.ts';
import { Progress } from './progress.ts';
import { workerSide } from './runtime.ts';
import { loadScenario } from './scenario-module.ts';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './search-worker.ts';

const side = workerSide();
const progress = new Progress(side.memory, side.publish);
let started: Promise<LocalRunner>;

const answer = async (request: WorkerRequest): Promise<unknown> => {
  const runner = await started;
  switch (request.do) {
    case 'run':
      return runner.run(request.seeds, request.stopAfter);
    case 'repeat':
      return runner.repeat(request.seed);
    case 'stop':
      return runner.stop(request.seed, request.stopped);
    case 'shrink':
      return runner.shrink(request.seed, request.failed, request.record, request.shrink);
  }
};

side.onMessage((message: WorkerStart | WorkerRequest) => {
  if (message.do === 'start') {
    started = loadScenario(message.url, message.options).then(
      ({ scenario, options }) => new LocalRunner(scenario, options, { progress }),
    );
    // Each request awaits `started` and gets this error in its answer.
    started.catch(() => {});
    return;
  }
  answer(message).then(
    (result) => tell({ result }),
    (error: unknown) => tell({ error }),
  );
});

function tell(answer: WorkerAnswer): void {
  try {
    side.post(answer);
  } catch (error) {
    // A value that cannot be cloned is replaced by its description.
    side.post({ error: new Error(describeError('error' in answer ? answer.error : error)) });
  }
}
