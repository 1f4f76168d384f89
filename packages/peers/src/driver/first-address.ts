// Picks one of the addresses that a node advertises.

/**
 * Returns the first address of a list for which `fits` returns true, or undefined. A transport that
 * listens on several addresses advertises them all, separated by commas.
 */
export function firstAddress(
  advertised: string | undefined,
  fits: (address: string) => boolean = () => true,
): string | undefined {
  for (const part of (advertised ?? '').split(',')) {
    const address = part.trim();
    if (address !== '' && fits(address)) return address;
  }
  return undefined;
}
