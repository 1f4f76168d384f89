// The scenario as a module for the workers of explore; its settings are in its URL.

import { raftScenario } from './scenario.ts';
import { DISK, LINK, nemesisOf, settingsOf } from './settings.ts';

/** Errors are common here, mostly refusals, and capturing stacks would take a tenth of the time. */
Error.stackTraceLimit = 0;

const settings = settingsOf(import.meta.url);

export default raftScenario(settings);
export const nemesis = nemesisOf(settings);
export const options = { level: settings.level, link: LINK, disk: DISK };
