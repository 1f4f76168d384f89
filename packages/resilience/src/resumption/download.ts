// The downloads of a protocol: their names as a type, their definitions, and closing their items.

import type { Codec, Protocol } from '@trunkline/transport-core';
import type { KindOf, MethodName } from '@trunkline/transport-core/backend';

/** The names of a protocol's downloads. */
export type DownloadName<P extends Protocol> = {
  [N in MethodName<P>]: KindOf<P, N> extends 'download' ? N : never;
}[MethodName<P>];

/** Returns the definition of a download. @throws TypeError if the method is not a download. */
export function downloadOf(
  protocol: Protocol,
  method: string,
  what: string,
): { readonly download: Codec<unknown, unknown> } {
  const definition = protocol.methods[method];
  if (definition === undefined || !Object.hasOwn(protocol.methods, method))
    throw new TypeError(
      `${what}: protocol '${protocol.name}' has no method '${method}'; it has ${Object.keys(protocol.methods).join(', ')}`,
    );
  const { download, upload } = definition;
  if (download === undefined || upload !== undefined)
    throw new TypeError(
      `${what}: '${method}' is no download; only a stream from the callee can be continued`,
    );
  return { download };
}

/** Closes an iterator. Its errors are ignored, because nobody waits for its items any more. */
export function leave(iterator: AsyncIterator<unknown> | undefined): void {
  (async () => iterator?.return?.())().catch(() => {});
}
