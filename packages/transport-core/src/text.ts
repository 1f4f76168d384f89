// Texts for people that another end sent: of GO_AWAY and ERROR, names, addresses. They reach error messages, logs and terminals.

/**
 * A text of a peer, made fit to be stored and shown: on one line (each line break or tab is a blank), with U+FFFD for other control
 * characters, for marks that turn the direction of writing and for lone surrogates, and cut after 1 KiB of UTF-8. For people alone: what
 * is compared is compared as it came, and metadata, hello fields and payloads are the application's.
 */
export function cleanText(text: string): string {
  return truncateText(text.replace(UNFIT, (found) => (/\s/.test(found) ? ' ' : '\ufffd')));
}

/** The longest beginning of a text, whole code points, of at most 1 KiB of UTF-8. */
export function truncateText(text: string): string {
  if (text.length * 3 <= TEXT_LIMIT) return text;
  return text.slice(0, encoder.encodeInto(text, scratch).read);
}

/** Bytes of UTF-8 that a GO_AWAY's or ERROR's text may have. */
export const TEXT_LIMIT = 1024;

const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;
const encoder = new TextEncoder();
const scratch = new Uint8Array(TEXT_LIMIT);
