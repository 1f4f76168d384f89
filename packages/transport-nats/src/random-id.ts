// Random tokens of subjects, and ids of services.

import type { Random } from '@trunkline/transport-core';

/**
 * Returns 22 random letters and digits (131 bits), so that nobody can guess a subject that ends
 * with them.
 */
export function randomId(random: Random): string {
  let id = '';
  for (let i = 0; i < LENGTH; i++) id += DIGITS[Math.floor(random() * DIGITS.length)];
  return id;
}

const LENGTH = 22;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
