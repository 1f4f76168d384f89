// Random tokens of subjects.

import type { Random } from '@trunkline/transport-core';

/** Returns 22 letters and digits, which have 131 bits: nobody can guess the subject they end. */
export function randomId(random: Random): string {
  let id = '';
  for (let i = 0; i < LENGTH; i++) id += DIGITS[Math.floor(random() * DIGITS.length)];
  return id;
}

const LENGTH = 22;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
