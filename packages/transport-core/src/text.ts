// Cleans human-readable text that a peer sent (the text of GO_AWAY and ERROR, names, addresses),
// because it ends up in error messages, logs and terminals.

/**
 * Makes a peer's text safe to store and to show. Line breaks and tabs become spaces. Other control
 * characters, marks that change the writing direction, and lone surrogates become U+FFFD. The
 * result is cut after 1 KiB of UTF-8. Use it only for text that people read: compare values as they
 * were received, and pass metadata, hello fields and payloads on unchanged.
 */
export function cleanText(text: string): string {
  return truncateText(text.replace(UNFIT, (found) => (/\s/.test(found) ? ' ' : '\ufffd')));
}

/**
 * Returns the longest prefix of a string, in whole code points, that takes at most 1 KiB of UTF-8.
 */
export function truncateText(text: string): string {
  if (text.length * 3 <= TEXT_LIMIT) return text;
  return text.slice(0, encoder.encodeInto(text, scratch).read);
}

/** Returns a duration for people, in whole milliseconds, at least one: '33 ms'. */
export function inMs(milliseconds: number): string {
  return `${Math.round(milliseconds) || 1} ms`;
}

/** Maximum length of the text of a GO_AWAY or ERROR, in bytes of UTF-8. */
export const TEXT_LIMIT = 1024;

const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
const encoder = new TextEncoder();
const scratch = new Uint8Array(TEXT_LIMIT);
