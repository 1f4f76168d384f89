// What a node says of where it is, as one address.

/** The first of a list: a transport that listens on several addresses advertises them all, with commas between. */
export function firstAddress(advertised: string | undefined): string | undefined {
  const [first] = (advertised ?? '').split(',');
  return first === undefined || first.trim() === '' ? undefined : first.trim();
}
