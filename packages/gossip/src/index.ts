// Topics above any transport: the machines so far.

export {};
