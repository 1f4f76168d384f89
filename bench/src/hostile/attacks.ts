// The attacks that are measured.

export type Attack =
  | 'never reads'
  | 'no credit'
  | 'a byte a second'
  | 'rapid reset'
  | 'connects, 1,000/s'
  | 'connects, 10,000/s';

export const ATTACKS: readonly Attack[] = [
  'never reads',
  'no credit',
  'a byte a second',
  'rapid reset',
  'connects, 1,000/s',
  'connects, 10,000/s',
];
