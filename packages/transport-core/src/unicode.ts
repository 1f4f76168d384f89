// Checks whether strings are Unicode text.

/**
 * Returns true if the text contains half of a surrogate pair without the other half. UTF-8 can't
 * represent such a half, so the text would arrive changed.
 */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

const LONE_SURROGATE = /\p{Surrogate}/u;
