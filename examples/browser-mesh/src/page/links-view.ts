// The list of links: for each one its ends, its latency, and a button that cuts it.

import { colorOf } from '../names.ts';
import type { Ends, MeshLink, MeshPicture } from '../picture.ts';
import { endsOf, latencyOf } from './format.ts';

interface Row {
  readonly item: HTMLLIElement;
  readonly bar: HTMLElement;
  readonly dots: readonly HTMLElement[];
  readonly rtt: HTMLElement;
  readonly button: HTMLButtonElement;
}

export class LinksView {
  readonly #list: Element;
  readonly #self: string;
  readonly #rows = new Map<string, Row>();
  readonly #cut: (ends: Ends) => void;

  constructor(list: Element, self: string, cut: (ends: Ends) => void) {
    this.#list = list;
    this.#self = self;
    this.#cut = cut;
  }

  draw(picture: MeshPicture): void {
    const gone = new Set(this.#rows.keys());
    for (const link of picture.links()) {
      gone.delete(link.key);
      const row = this.#rows.get(link.key) ?? this.#add(link);
      row.item.dataset['state'] = link.isCut ? 'cut' : 'up';
      row.bar.className = link.path ?? 'cut';
      row.dots.forEach((dot, end) => {
        dot.style.background = colorOf(picture.hueOf(link.ends[end]!) ?? 0);
      });
      row.rtt.textContent = link.isCut ? 'cut' : latencyOf(link);
      row.button.disabled = link.isCut;
    }
    for (const key of gone) {
      this.#rows.get(key)!.item.remove();
      this.#rows.delete(key);
    }
  }

  #add({ key, ends }: MeshLink): Row {
    const [item, bar, name, rtt, button] = [
      document.createElement('li'),
      document.createElement('i'),
      document.createElement('span'),
      document.createElement('span'),
      document.createElement('button'),
    ];
    const isOwn = ends.includes(this.#self);
    const text = endsOf(ends);
    const dots = ends.map(() => document.createElement('b'));
    item.dataset['own'] = String(isOwn);
    name.className = 'ends';
    name.append(...dots, text);
    name.title = text;
    rtt.className = 'rtt';
    button.type = 'button';
    button.textContent = 'Cut';
    button.setAttribute('aria-label', `Cut the link ${text}`);
    button.addEventListener('click', () => this.#cut(ends));
    item.append(bar, name, rtt, button);
    this.#insert(item, `${isOwn ? 'own' : 'with others'} ${text}`);
    const row = { item, bar, dots, rtt, button };
    this.#rows.set(key, row);
    return row;
  }

  /** Keeps the rows sorted by rank, with this node's own links first. */
  #insert(item: HTMLElement, rank: string): void {
    item.dataset['rank'] = rank;
    const rows = [...this.#list.children] as HTMLElement[];
    this.#list.insertBefore(item, rows.find((row) => row.dataset['rank']! > rank) ?? null);
  }
}
