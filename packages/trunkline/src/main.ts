#!/usr/bin/env node
// The command trunkline: starts @trunkline/cli if it is installed.

import process from 'node:process';

const CLI: string = '@trunkline/cli';
try {
  const { runCliProcess } = (await import(CLI)) as { runCliProcess(): Promise<void> };
  await runCliProcess();
} catch (error) {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${CLI}'`)) throw error;
  process.stderr.write(`trunkline: the command needs one more package: npm install ${CLI}\n`);
  process.exitCode = 1;
}
