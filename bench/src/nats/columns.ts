// The measured columns.

export const COLUMNS = ['bare-nats', 'trunkline-nats'] as const;
export type Column = (typeof COLUMNS)[number];
