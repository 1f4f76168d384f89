// Dates of certificates.

/** Returns a date of a certificate, as node:crypto writes it, in milliseconds since 1970. */
export const parseDate = (text: string): number => Date.parse(text);
