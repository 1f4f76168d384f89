// Draws the last events of a run for people: a lane for each node, an arrow for each message, the
// latest event at the bottom.

/** Returns the lines of a trace's timeline as a drawing. */
export function drawLanes(timeline: readonly string[]): string[] {
  const events = timeline.flatMap((line) => parsed(line) ?? []);
  const names = [...new Set(events.flatMap(({ from, to }) => [from, to]))]
    .filter((name) => name !== '')
    .sort(byNode);
  const lane = (name: string) => names.indexOf(name) * WIDTH;
  const head = `${'ms'.padStart(TIME)}  ${names.map((name) => name.padEnd(WIDTH)).join('')}`;
  const blank = names.map(() => '│'.padEnd(WIDTH)).join('');
  return [
    head.trimEnd(),
    ...events.map(({ time, from, to, what, text }) => {
      const said = text === '' || OWN_WORDS.has(what) ? text : `${what} ${text}`;
      const drawn =
        from === ''
          ? '═'.repeat(blank.length - WIDTH + 1).padEnd(blank.length)
          : to === ''
            ? put(blank, lane(from), SIGNS[what] ?? '●')
            : arrow(blank, lane(from), lane(to), what);
      return `${time.padStart(TIME)}  ${drawn} ${said || what}`.trimEnd();
    }),
  ];
}

interface Event {
  readonly time: string;
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly text: string;
}

/**
 * Parses a line of a trace, such as the following one; a fault has no node.
 *
 *     1234.5 ms  n1 → n2      arrived    raft/appendEntries request, 54 B
 */
function parsed(line: string): Event | undefined {
  const found =
    /^\s*(?<time>[\d.]+) ms {2}(?:(?<from>\S+)(?: → (?<to>\S+))?)? +(?<what>\w+)(?: +(?<text>.*))?$/.exec(
      line,
    )?.groups;
  if (found === undefined) return undefined;
  const { time = '', from = '', to = '', what = '', text = '' } = found;
  return { time, from, to, what, text };
}

/**
 * Draws an arrow from one lane to another. A message that is sent has no arrowhead yet, and a lost
 * one does not get there.
 */
function arrow(blank: string, from: number, to: number, what: string): string {
  const [left, right] = from < to ? [from, to] : [to, from];
  const line = blank.slice(0, left) + '─'.repeat(right - left + 1) + blank.slice(right + 1);
  const point = what === 'sent' ? '┤' : (SIGNS[what] ?? (from < to ? '▶' : '◀'));
  return put(
    put(line, to, what === 'sent' && from > to ? '├' : point),
    from,
    what === 'sent' ? '●' : '○',
  );
}

function put(line: string, at: number, sign: string): string {
  return line.slice(0, at) + sign + line.slice(at + 1);
}

/** Sorts nodes before clients, and 2 before 10. */
function byNode(a: string, b: string): number {
  const rank = (name: string) => (name.startsWith('n') ? 0 : 1);
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true });
}

const SIGNS: Readonly<Record<string, string>> = {
  booted: '▲',
  crashed: '✖',
  lost: '✖',
  refused: '✖',
  reset: '✖',
  note: '■',
  stored: '▪',
  held: '‖',
};
/** Events whose text needs no name in front. */
const OWN_WORDS = new Set(['note', 'fault']);
const WIDTH = 4;
const TIME = 11;
