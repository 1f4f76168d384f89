// The catalog of faults, which docs/faults.md is made from: the behavior for each fault, and the
// tests that check it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ATTACKS, SCENARIOS } from './all-attacks.ts';

export interface Section {
  readonly section: string;
  readonly cases: readonly Fault[];
}

/**
 * A fault with its behavior and tests, or with the reason why it is left out. A test is written as
 * 'file: a part of its title', with … for the part that varies.
 */
export interface Fault {
  readonly case: number;
  readonly behavior?: string;
  readonly tests?: readonly string[];
  readonly leftOut?: string;
}

export function readCatalog(): readonly Section[] {
  return JSON.parse(readFileSync(join(root, 'hostile/faults.json'), 'utf8')) as Section[];
}

/**
 * Returns the defects of the catalog: missing numbers, faults without a test, tests that do not
 * exist, and sections whose numbers are not consecutive.
 */
export function flawsOfCatalog(sections: readonly Section[]): string[] {
  const faults = sections.flatMap(({ cases }) => cases);
  const flaws: string[] = [];
  for (let number = 1; number <= LAST; number++) {
    const found = faults.filter((fault) => fault.case === number);
    if (found.length !== 1) flaws.push(`case ${number} occurs ${found.length} times`);
  }
  // Markdown counts on from the first number of a list.
  for (const { section, cases } of sections)
    if (cases.some((fault, at) => fault.case !== cases[0]!.case + at))
      flaws.push(`the numbers of '${section}' are not consecutive`);
  for (const fault of faults) {
    const { case: number, behavior, leftOut, tests = [] } = fault;
    if ((behavior === undefined) === (leftOut === undefined))
      flaws.push(`case ${number} has neither or both of 'behavior' and 'leftOut'`);
    if (behavior !== undefined && tests.length + attacksOn(number).length === 0)
      flaws.push(`case ${number} has no test`);
    for (const test of tests)
      if (!exists(test)) flaws.push(`case ${number}: there is no test '${test}'`);
  }
  for (const { name, cases } of [...ATTACKS, ...SCENARIOS]) {
    for (const number of cases)
      if (!faults.some((fault) => fault.case === number))
        flaws.push(`attack ${name}: there is no case ${number}`);
  }
  return flaws;
}

/** Formats docs/faults.md. */
export function formatPage(sections: readonly Section[]): string {
  const lines = [
    '# Faults',
    '',
    'This page lists what peers, networks, machines and disks may do to Trunkline, and how Trunkline',
    'reacts.',
    '',
    'Each line ends with the name of an attack (a program that acts as a hostile peer), or with a test',
    'file. `npx pnpm@12 hostile <name>` runs the attack.',
    '[hostile/faults.json](../hostile/faults.json) names further tests.',
  ];
  for (const { section, cases } of sections) {
    lines.push('', `## ${section}`, '');
    for (const { case: number, behavior, tests = [], leftOut } of cases) {
      const attacks = attacksOn(number).map((name) => `\`${name}\``);
      const check = [...attacks, ...tests.map(linkTo)][0];
      lines.push(
        behavior === undefined
          ? `${number}. Left out: ${leftOut}.`
          : `${number}. ${behavior} (${check}).`,
      );
    }
  }
  lines.push('', '**Next:** [reliability](reliability.md) says how the attacks are measured.');
  return `${lines.join('\n')}\n`;
}

function attacksOn(number: number): string[] {
  return [...ATTACKS, ...SCENARIOS]
    .filter(({ cases }) => cases.includes(number))
    .map(({ name }) => name);
}

function exists(test: string): boolean {
  const [file, title] = split(test);
  try {
    const source = readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'");
    let at = 0;
    for (const part of title.split('…')) {
      at = source.indexOf(part, at);
      if (at === -1) return false;
      at += part.length;
    }
    return title !== '';
  } catch {
    return false;
  }
}

function linkTo(test: string): string {
  const [file] = split(test);
  return `[${file.slice(file.lastIndexOf('/') + 1)}](../${file})`;
}

function split(test: string): [file: string, title: string] {
  const at = test.indexOf(': ');
  return [test.slice(0, at), test.slice(at + 2)];
}

export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The number of the last case. */
const LAST = 149;
