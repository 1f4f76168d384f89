// Places the labels of a picture so that no two overlap.

/** A label to place: the point that it belongs to, and its size in pixels. */
export interface Label {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The middle of a placed label. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
}

/**
 * Returns the places of labels, in the same order; undefined for a label that gives way, because
 * there is room for it neither below its point nor above or beside it. Earlier labels go first.
 *
 * @param radius the radius of the points, which labels keep free.
 * @param width the size of the picture, whose middle is 0, 0; labels stay inside.
 */
export function placeLabels(
  labels: readonly Label[],
  radius: number,
  width: number,
  height: number,
): (LabelPlace | undefined)[] {
  const taken = new Boxes();
  for (const { x, y } of labels) taken.add({ x, y, width: 2 * radius, height: 2 * radius });
  return labels.map((label) => {
    const [dx, dy] = [radius + 3 + label.width / 2, radius + 2 + label.height / 2];
    for (const [sx, sy] of SIDES) {
      const box = { ...label, x: label.x + sx * dx, y: label.y + sy * dy };
      const isInside =
        Math.abs(box.x) + box.width / 2 <= width / 2 &&
        Math.abs(box.y) + box.height / 2 <= height / 2;
      if (!isInside || taken.touches(box)) continue;
      taken.add(box);
      return { x: box.x, y: box.y };
    }
    return undefined;
  });
}

/** Below, above, right and left of the point. */
const SIDES = [
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
] as const;

/** Boxes, by the squares of a grid that they touch. */
class Boxes {
  readonly #squares = new Map<string, Label[]>();

  add(box: Label): void {
    for (const square of squaresOf(box)) {
      const boxes = this.#squares.get(square);
      if (boxes === undefined) this.#squares.set(square, [box]);
      else boxes.push(box);
    }
  }

  touches(box: Label): boolean {
    return squaresOf(box).some((square) =>
      this.#squares
        .get(square)
        ?.some(
          ({ x, y, width, height }) =>
            Math.abs(x - box.x) < (width + box.width) / 2 &&
            Math.abs(y - box.y) < (height + box.height) / 2,
        ),
    );
  }
}

function squaresOf({ x, y, width, height }: Label): string[] {
  const squares: string[] = [];
  for (let i = Math.floor((x - width / 2) / SIDE); i <= Math.floor((x + width / 2) / SIDE); i++)
    for (let j = Math.floor((y - height / 2) / SIDE); j <= Math.floor((y + height / 2) / SIDE); j++)
      squares.push(`${i} ${j}`);
  return squares;
}

/** The side of a square in pixels. */
const SIDE = 64;
