// The element with the picture of a graph: pointer, wheel and keys move it.

import { useEffect, useRef } from 'preact/hooks';
import { html } from '../html.ts';
import { type DrawnLink, type DrawnNode, Picture } from './picture.ts';

export interface GraphProperties {
  readonly label: string;
  readonly nodes: readonly DrawnNode[];
  readonly links: readonly DrawnLink[];
  readonly selected: string | undefined;
  readonly choose: (key: string | undefined) => void;
}

export function GraphCanvas({ label, nodes, links, selected, choose }: GraphProperties) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture>(undefined);
  const onChoose = useRef(choose);
  onChoose.current = choose;
  useEffect(() => {
    const shown = new Picture(canvas.current!);
    picture.current = shown;
    const end = control(frame.current!, shown, (key) => onChoose.current(key));
    return () => {
      end();
      shown.close();
    };
  }, []);
  useEffect(() => picture.current?.show(nodes, links, selected), [nodes, links, selected]);
  const press = (event: KeyboardEvent) => {
    if (!pressKey(picture.current!, event.key)) return;
    event.preventDefault();
  };
  return html`<div class="graph" ref=${frame}>
    <div
      class="graph-keys"
      role="application"
      tabindex="0"
      aria-label=${`${label}. Arrow keys move the picture, plus and minus scale it, 0 shows all. The tables below have the same contents.`}
      onKeyDown=${press}
    >
      <canvas ref=${canvas} aria-hidden="true"></canvas>
    </div>
    <div class="graph-buttons">
      <button type="button" aria-label="Enlarge" onClick=${() => picture.current?.zoom(1.4)}>
        +
      </button>
      <button type="button" aria-label="Reduce" onClick=${() => picture.current?.zoom(1 / 1.4)}>
        −
      </button>
      <button type="button" onClick=${() => picture.current?.fit()}>All</button>
    </div>
  </div>`;
}

/** Follows the pointer, the size of the frame and the colors of the page until it is ended. */
function control(
  frame: HTMLElement,
  picture: Picture,
  choose: (key: string | undefined) => void,
): () => void {
  const end = new AbortController();
  const { signal } = end;
  const pointers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const fromMiddle = ({ clientX, clientY }: MouseEvent) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  };
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
    passive = true,
  ) => frame.addEventListener(type, listener, { signal, passive });
  on('pointerdown', (event) => {
    if ((event.target as Element).closest('button') !== null) return;
    pointers.set(event.pointerId, fromMiddle(event));
    frame.setPointerCapture(event.pointerId);
    if (pointers.size === 1) moved = 0;
  });
  on('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = fromMiddle(event);
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (other !== undefined) {
      const distance = (at: { x: number; y: number }) => Math.hypot(at.x - other.x, at.y - other.y);
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      picture.zoom(distance(now) / Math.max(1, distance(before)), middle);
    } else picture.pan(now.x - before.x, now.y - before.y);
    moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    pointers.set(event.pointerId, now);
  });
  const release = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type === 'pointerup' && moved < CLICK) choose(picture.nodeAt(fromMiddle(event)));
  };
  on('pointerup', release);
  on('pointercancel', release);
  on(
    'wheel',
    (event) => {
      event.preventDefault();
      picture.zoom(Math.exp(-event.deltaY / 400), fromMiddle(event));
    },
    false,
  );
  const resized = new ResizeObserver(() => picture.resize(frame.clientWidth, frame.clientHeight));
  resized.observe(frame);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => picture.recolor(), {
    signal,
  });
  return () => {
    end.abort();
    resized.disconnect();
  };
}

/** Moves the picture; returns false for a key without a meaning. */
function pressKey(picture: Picture, key: string): boolean {
  switch (key) {
    case 'ArrowLeft':
      picture.pan(STEP, 0);
      return true;
    case 'ArrowRight':
      picture.pan(-STEP, 0);
      return true;
    case 'ArrowUp':
      picture.pan(0, STEP);
      return true;
    case 'ArrowDown':
      picture.pan(0, -STEP);
      return true;
    case '+':
    case '=':
      picture.zoom(1.25);
      return true;
    case '-':
      picture.zoom(0.8);
      return true;
    case '0':
      picture.fit();
      return true;
    default:
      return false;
  }
}

/** The distance that one key press moves the picture, in pixels. */
const STEP = 40;
/** A pointer that moves less than this between press and release has clicked; in pixels. */
const CLICK = 6;
