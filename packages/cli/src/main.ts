#!/usr/bin/env node
// The command trunkline.

import process from 'node:process';
import { processTerminal } from './process-terminal.ts';
import { run } from './run.ts';

const code = await run(process.argv.slice(2), processTerminal());
// Keys, and input that nobody reads to its end, would keep the process alive.
process.stdin.unref?.();
process.exitCode = code;
