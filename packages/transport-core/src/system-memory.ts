// Memory as the runtime gives it fastest: with system-clock and system-random the only file that names its globals.

declare const Buffer: { allocUnsafeSlow?(size: number): Uint8Array<ArrayBuffer> } | undefined;

/** Bytes that will all be written before anybody reads them: not zeroed first where the runtime can spare that. */
export const allocate: (size: number) => Uint8Array<ArrayBuffer> =
  typeof Buffer !== 'undefined' && Buffer.allocUnsafeSlow !== undefined
    ? (size) => new Uint8Array(Buffer!.allocUnsafeSlow!(size).buffer, 0, size)
    : (size) => new Uint8Array(size);
