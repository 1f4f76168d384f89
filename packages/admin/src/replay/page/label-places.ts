// The places of labels in the picture, so that they do not cover each other.

/** Reserves a place for a label. Returns false if there is no room. */
export type PlaceLabel = (x: number, y: number, text: string) => boolean;

/** Creates an empty picture with room for a limited number of labels. */
export function labelPlaces(): PlaceLabel {
  const taken: { readonly x: number; readonly y: number; readonly end: number }[] = [];
  return (x, y, text) => {
    const end = x + text.length * LETTER;
    if (taken.length === LABELS) return false;
    if (taken.some((each) => Math.abs(each.y - y) < 12 && x < each.end && end > each.x))
      return false;
    taken.push({ x, y, end });
    return true;
  };
}

/** The width of one letter in a label, in pixels. */
export const LETTER = 6.6;
/** Maximum number of labels. */
const LABELS = 60;
