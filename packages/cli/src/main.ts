#!/usr/bin/env node
// The command trunkline.

import { runCliProcess } from './command.ts';

await runCliProcess();
