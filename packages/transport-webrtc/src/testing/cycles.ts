// Opens and closes connections on node-datachannel, and checks that nothing is left of them.

import { readdirSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { nodeProbe } from '@trunkline/transport-testkit';
import type { ExecutionContext } from 'ava';
import { createMemorySignaling } from '../memory-signaling.ts';
import { createWebRtcStreamLayer } from '../webrtc.ts';
import { createCountingRtc } from './counting-rtc.ts';

const { collect } = nodeProbe(process);

/**
 * Opens and closes `cycles` connections one after the other. Handles and sockets must return to
 * their numbers before the first one, and RSS must stay within 16 MiB of its value after `warmUp`
 * cycles.
 */
export async function openAndClose(
  t: ExecutionContext,
  { warmUp, cycles }: { readonly warmUp: number; readonly cycles: number },
): Promise<void> {
  t.timeout(180_000);
  const rtc = await createCountingRtc();
  const signaling = createMemorySignaling();
  const listener = createWebRtcStreamLayer({ signal: signaling.signal('b'), rtc });
  const dialer = createWebRtcStreamLayer({ signal: signaling.signal('a'), rtc });
  await listener.listen((far) => far.attach({ data() {}, frames() {}, drained() {}, closed() {} }));
  const cycle = async () => {
    const near = await dialer.dial('webrtc://b', { timeout: 20_000 });
    const ended = new Promise((resolve) =>
      near.attach({ data() {}, frames() {}, drained() {}, closed: resolve }),
    );
    near.write(new Uint8Array(1_000));
    near.close();
    await ended;
  };
  const [handles, sockets] = [openHandles().length, openSockets()];
  for (let i = 0; i < warmUp; i++) await cycle();
  const memory = memoryInUse();
  for (let i = warmUp; i < cycles; i++) {
    if (i % 100 === 0) collect?.(); // the heap would keep the size of its largest garbage
    await cycle();
  }
  const grown = (memoryInUse() - memory) / 2 ** 20;
  t.log(`${cycles} cycles, RSS ${grown.toFixed(1)} MiB more than after ${warmUp}`);
  t.true(grown < 16, `RSS has grown by ${grown.toFixed(1)} MiB`);
  for (let i = 0; i < 500; i++) {
    if (rtc.open() === 0 && openHandles().length <= handles && openSockets() <= sockets) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.is(rtc.open(), 0);
  t.true(openHandles().length <= handles, openHandles().join());
  t.true(openSockets() <= sockets);
  await Promise.all([listener.close(), dialer.close()]);
}

function memoryInUse(): number {
  collect?.();
  return process.memoryUsage.rss();
}

function openHandles(): string[] {
  return process.getActiveResourcesInfo();
}

/** Returns the number of open sockets, because the library's sockets are not handles of Node. */
function openSockets(): number {
  if (process.platform !== 'linux') return 0;
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith('socket:');
    } catch {
      return false; // the descriptor that has listed the folder
    }
  }).length;
}
