// The version of this package, for snapshots. Each run of scripts/build.mjs writes it from
// package.json: it replaces the first text in single quotes, so there must be no other one before
// it.

export const VERSION = '0.0.0';
