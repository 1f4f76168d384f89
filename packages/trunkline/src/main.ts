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
  const text = `the command needs one more package: npm install ${CLI}`;
  const shown = { error: { code: 'failed_precondition', message: text } };
  const asJson = process.argv.includes('--json');
  process.stderr.write(`${asJson ? JSON.stringify(shown) : `trunkline: ${text}`}\n`);
  process.exitCode = 19; // failed precondition, as in the table of docs/cli.md
}
