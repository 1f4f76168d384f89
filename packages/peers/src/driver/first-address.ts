// What a node says of where it is, as one address.

/**
 * One of a list: a transport that listens on several addresses advertises them all, with commas between. Returns the first that
 * `fits`, or undefined.
 */
export function firstAddress(advertised: string | undefined, fits: (address: string) => boolean = () => true): string | undefined {
  for (const part of (advertised ?? '').split(',')) {
    const address = part.trim();
    if (address !== '' && fits(address)) return address;
  }
  return undefined;
}
