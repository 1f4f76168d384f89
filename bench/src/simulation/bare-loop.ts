// The limit of any simulation in this language: a heap of events and a turn of the microtask queue
// after each, and nothing else.

interface Event {
  at: number;
  order: number;
  run: () => void;
}

/** Returns the events a second that a bare loop runs while `population` of them are waiting. */
export async function bareLoop(milliseconds: number, population = 32): Promise<number> {
  const heap: Event[] = [];
  let order = 0;
  let now = 0;
  let events = 0;
  const push = (event: Event) => {
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  };
  const pop = (): Event => {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  };
  for (let i = 0; i < population; i++) {
    const run = () => push({ at: now + 1 + ((i * 7 + events) % 20), order: order++, run });
    push({ at: i, order: order++, run });
  }
  const begin = performance.now();
  do {
    for (let i = 0; i < 1_000; i++) {
      const event = pop();
      now = event.at;
      event.run();
      await undefined;
      events++;
    }
  } while (performance.now() - begin < milliseconds);
  return (events / (performance.now() - begin)) * 1_000;
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
