// The measured libraries by their names in the table. A process loads only the one that it needs.

import { BARE, type Library, OURS } from './library.ts';

/** The modules of the other libraries, relative to `bench/peers`. */
const PEERS: Readonly<Record<string, string>> = {
  'socket.io': 'real/socket-io.mjs',
  tRPC: 'real/trpc.mjs',
  'grpc-js': 'real/grpc.mjs',
};
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);

export async function libraryOf(name: string): Promise<Library> {
  if (name === BARE) return (await import('./bare.ts')).bare;
  if (name === OURS) return (await import('./trunkline.ts')).trunkline;
  const { href } = new URL(PEERS[name]!, new URL('../../peers/', import.meta.url));
  return ((await import(href)) as { library: Library }).library;
}
