// Shrinks a failing input: leaves out pieces, large ones first, and then sets bytes to 0, as long
// as it fails in the same way.

/** @param fails runs a candidate. @param tries the most candidates. */
export async function shrunk(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => boolean | Promise<boolean>,
  tries = 5_000,
): Promise<Uint8Array> {
  let best = input;
  let left = tries;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = best.length >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < best.length && left > 0; ) {
      const candidate = Uint8Array.from([...best.subarray(0, at), ...best.subarray(at + size)]);
      if (!(await attempt(candidate))) at += size;
    }
  }
  for (let at = 0; at < best.length && left > 0; at++) {
    if (best[at] === 0) continue;
    const candidate = best.slice();
    candidate[at] = 0;
    await attempt(candidate);
  }
  return best;
}
