// The output of commands: tables, JSON and errors. All texts of other nodes are cleaned, because
// they might contain control sequences of terminals.

import { TransportError } from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';
import type { Command } from 'commander';
import { UsageError } from './exit-codes.ts';
import type { CliTerminal } from './terminal.ts';

/**
 * Lays out rows as a table: columns are aligned and two blanks apart. The first row is the head.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(cleanText));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((row) => row[column]?.length ?? 0)),
  );
  return clean
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/**
 * Returns a value as JSON. JSON escapes most control characters; the others are escaped here.
 * @param indent the number of blanks for each level; 0 writes one line
 */
export function toJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null';
  return text.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * C1 controls and marks that change the writing direction, which JSON.stringify leaves unchanged.
 */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]|\p{Bidi_C}/gu;

/** An error as one line, or as JSON. */
export function errorText(error: unknown, asJson: boolean): string {
  const message = cleanText(error instanceof Error ? error.message : String(error));
  const hint = hintOf(error);
  if (error instanceof TransportError) {
    const { code, reason } = error;
    if (asJson) return `${toJson({ error: { code, reason, message, hint } })}\n`;
    const kind = reason === undefined ? code : `${code} (${reason})`;
    return `trunkline: ${kind}: ${message}${hint === undefined ? '' : `; ${hint}`}\n`;
  }
  const code = error instanceof UsageError ? 'invalid_argument' : 'unknown';
  if (asJson) return `${toJson({ error: { code, message } })}\n`;
  return `trunkline: ${message}\n`;
}

/** An error with advice for the user of the command. */
export function withHint(error: unknown, hint: string): unknown {
  if (error instanceof Error) Object.defineProperty(error, HINT, { value: hint });
  return error;
}

function hintOf(error: unknown): string | undefined {
  if (!(error instanceof TransportError)) return undefined;
  const { [HINT]: hint, reason } = error as { [HINT]?: string; reason?: string };
  if (hint !== undefined) return hint;
  if (reason === 'denied') return hintForDenied(error);
  return reason === undefined ? undefined : HINTS[reason];
}

/**
 * Returns true if no connection could be opened. Only the message says so: transport-core begins it
 * with these words.
 */
export function isDialError({ message }: TransportError): boolean {
  return message.startsWith('Cannot connect to ');
}

/** Returns advice for a denied connection. The rules of a node for calls are not covered here. */
function hintForDenied(error: TransportError): string | undefined {
  if (error.origin === 'local')
    return 'give --ca, the certificate of the authority that signed the certificate of the node';
  if (!isDialError(error)) return undefined;
  return 'the node refuses the connection: it must allow your node id (trunkline cert show) or --token';
}

const HINT = Symbol('hint');

/** Advice for reasons whose error messages address programmers instead of users of the command. */
const HINTS: Readonly<Record<string, string>> = {
  dial_timeout: 'is the address right, and does a firewall let you through?',
  wrong_network: 'set the name of the network with --network',
  bad_certificate: 'check --ca, --cert and --key',
  expired_certificate: 'renew the certificate, or check the clocks of both machines',
};

/** Prints a message beside the results: a text or, with `--json`, values. */
export function say(
  command: Command,
  terminal: CliTerminal,
  text: string,
  values: Readonly<Record<string, unknown>>,
): void {
  terminal.err(`${command.optsWithGlobals()['json'] === true ? toJson(values) : text}\n`);
}

/** Returns bytes in a short form: '1.5 MB'. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Returns milliseconds in a short form: '1.25 ms', '3.1 s'. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined || Number.isNaN(milliseconds)) return '–';
  if (milliseconds === Number.POSITIVE_INFINITY) return 'more';
  if (milliseconds < 1_000) return `${milliseconds.toPrecision(3)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}
