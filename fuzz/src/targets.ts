// The fuzz targets by name. Each target lies in the testing folder of the package that it tests.

import type { Target } from './engine/target.ts';

const PLACES = {
  frames: 'transport-core/dist/wire/testing/fuzz-frames.js',
  hello: 'transport-core/dist/wire/testing/fuzz-hello.js',
  json: 'transport-core/dist/protocol/testing/fuzz-json.js',
  protobuf: 'transport-core/dist/protocol/testing/fuzz-protobuf.js',
  session: 'transport-core/dist/session/testing/fuzz-session.js',
  schedule: 'transport-core/dist/session/testing/fuzz-schedule.js',
  'noise-handshake': 'security/dist/noise/testing/fuzz-handshake.js',
  'noise-records': 'security/dist/noise/testing/fuzz-records.js',
  gossip: 'gossip/dist/testing/fuzz-gossip.js',
  peers: 'peers/dist/testing/fuzz-peers.js',
  book: 'peers/dist/driver/testing/fuzz-book.js',
  'gossip-view': 'gossip/dist/testing/fuzz-view.js',
  keys: 'security/dist/identity/testing/fuzz-keys.js',
} as const;

export type TargetName = keyof typeof PLACES;

export const TARGET_NAMES = Object.keys(PLACES) as TargetName[];

export async function loadTarget(name: TargetName): Promise<Target> {
  const { target } = (await import(
    new URL(`../../packages/${PLACES[name]}`, import.meta.url).href
  )) as { target: Target };
  return target;
}
