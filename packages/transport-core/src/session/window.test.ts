// Tests the window of the pipe on simulated lines: its growth, the length of the queue, and the
// effect of delays.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { PipeWindow } from './credit.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const PACKET = 64 * KIB;
const COST = PACKET + 64;

interface Line {
  /** The rate in bytes per millisecond. */
  rate: number;
  /** The round trip in milliseconds. */
  trip: number;
  /**
   * Returns the time at which an end can process data that reaches it at `at`; later than `at` if
   * the end's machine is busy.
   */
  readonly ready?: (at: number) => number;
}

/**
 * A sender that always has something to send, and a line. Packets queue at the line's rate; credit
 * and PINGs return in the other direction.
 */
class Transfer {
  now = 0;
  window: PipeWindow;
  line: Line;
  /** The round trips of the PINGs, in milliseconds. */
  trips: number[] = [];
  read = 0;
  #pipe: number;
  #free = 0;
  /** Pending arrivals, in order of time. */
  readonly #events: { at: number; run: () => void }[] = [];

  constructor(line: Line, window: PipeWindow) {
    this.line = line;
    this.window = window;
    this.#pipe = window.granted;
    window.pong(line.trip, 0);
  }

  /** @param short the milliseconds between short messages. */
  run(milliseconds: number, short = Number.POSITIVE_INFINITY): this {
    const end = this.now + milliseconds;
    let due = this.now + short;
    this.#send();
    for (
      let event = this.#events[0];
      event !== undefined && event.at <= end;
      event = this.#events[0]
    ) {
      this.#events.shift();
      this.now = event.at;
      if (this.now >= due) {
        due += short;
        this.window.short();
      }
      event.run();
    }
    this.now = end;
    return this;
  }

  #send(): void {
    while (this.#pipe > 0) {
      this.#pipe -= COST;
      this.#cross(COST, () => this.#arrive());
    }
  }

  #arrive(): void {
    const { window } = this;
    this.read += COST;
    const back = window.giveBack(COST, this.now);
    this.#home(() => {
      this.#pipe += back;
      this.#send();
    });
    if (!window.wantsRound(this.now)) return;
    const began = this.now;
    window.begin(began);
    this.#home(() =>
      this.#cross(0, () => {
        this.trips.push(this.now - began);
        window.pong(this.now - began, this.now);
      }),
    );
  }

  /** Sends toward the receiver. */
  #cross(size: number, run: () => void): void {
    this.#free = Math.max(this.#free, this.now) + size / this.line.rate;
    this.#at(this.#ready(this.#free + this.line.trip / 2), run);
  }

  #home(run: () => void): void {
    this.#at(this.#ready(this.now + this.line.trip / 2), run);
  }

  #ready(at: number): number {
    return this.line.ready?.(at) ?? at;
  }

  #at(at: number, run: () => void): void {
    let place = this.#events.length;
    while (place > 0 && this.#events[place - 1]!.at > at) place--;
    this.#events.splice(place, 0, { at, run });
  }
}

const grown = (line: Line, most = 16 * MIB) => new Transfer(line, new PipeWindow(256 * KIB, most));
const holds = ({ rate, trip }: Line) => rate * trip;

/** Returns the number of bytes read within `milliseconds`, as a share of the line's capacity. */
function share(transfer: Transfer, milliseconds: number, short?: number): number {
  const before = transfer.read;
  transfer.run(milliseconds, short);
  return (transfer.read - before) / (milliseconds * transfer.line.rate);
}

test('a long line is filled within a second, and its queue stays short', (t) => {
  for (const line of [
    { rate: 125_000, trip: 100 },
    { rate: 125_000, trip: 20 },
    { rate: 12_500, trip: 100 },
    { rate: 12_500, trip: 300 },
  ]) {
    const transfer = grown(line).run(Math.max(1_000, line.trip * 8));
    t.true(share(transfer, 2_000) > 0.85);
    transfer.trips.length = 0;
    t.true(share(transfer, 5_000) > 0.98);
    const trips = transfer.trips.sort((a, b) => a - b);
    const [usual, slowest] = [trips[trips.length >> 1]!, trips.at(-1)!];
    t.true(usual <= line.trip * 1.1 + 1.2, `usually ${usual} ms on a line of ${line.trip}`);
    t.true(slowest <= line.trip * 1.3 + 1.2, `${slowest} ms on a line of ${line.trip}`);
    t.true(
      transfer.window.granted > holds(line) &&
        transfer.window.granted <= holds(line) * 1.3 + line.rate,
    );
  }
});

test('without growth the line stays as empty as before', (t) => {
  const line = { rate: 125_000, trip: 100 };
  const transfer = grown(line, 256 * KIB).run(1_000);
  t.is(transfer.window.granted, 256 * KIB);
  t.true(share(transfer, 3_000) < 0.03);
  t.is(transfer.trips.length, 0, 'and nothing is measured');
});

test('the window is never above its maximum, nor below its start', (t) => {
  const wide = { rate: 1_000_000, trip: 200 };
  for (const most of [300 * KIB, MIB, 5 * MIB]) {
    const transfer = grown(wide, most);
    for (let i = 0; i < 200; i++) {
      transfer.run(20);
      t.true(transfer.window.granted <= most);
    }
    t.is(transfer.window.granted, most);
  }
  const thin = grown({ rate: 100, trip: 50 });
  for (let i = 0; i < 200; i++) t.is(thin.run(100).window.granted, 256 * KIB);
});

test('a fast line has an extra share while no short message is present, and loses it at once when one is', (t) => {
  const line = { rate: 1_000_000, trip: 0.2 };
  const transfer = grown(line).run(500);
  t.true(transfer.window.granted > MIB, `${transfer.window.granted}`);
  const before = transfer.read;
  transfer.window.short();
  while (transfer.window.granted > 256 * KIB && transfer.read - before < 8 * MIB)
    transfer.run(0.05);
  t.true(transfer.read - before < 1.5 * MIB, 'within what was in transit');
  transfer.run(500, 5);
  t.is(transfer.window.granted, 256 * KIB);
  t.true(transfer.run(500).window.granted > MIB, 'and it returns');
});

test('the extra share is one millisecond of the line, at most 2 MiB', (t) => {
  const share = (rate: number) => grown({ rate, trip: 0.1 }).run(1_000).window.granted - 256 * KIB;
  t.true(share(100_000) <= 1.1 * 100_000);
  t.true(share(1_000_000) <= 1.1 * 1_000_000);
  t.true(share(20_000_000) <= 2 * MIB + 20_000_000 * 0.1 * 1.125);
});

test('a line that gets slower has a queue only for a short time', (t) => {
  const transfer = grown({ rate: 125_000, trip: 50 }).run(3_000);
  transfer.line = { rate: 12_500, trip: 50 };
  transfer.run(3_000);
  transfer.trips.length = 0;
  transfer.run(2_000);
  t.true(Math.max(...transfer.trips) < 50 * 1.3, `${Math.max(...transfer.trips)}`);
  transfer.line = { rate: 125_000, trip: 50 };
  t.true(share(transfer.run(4_000), 2_000) > 0.95, 'and one that gets faster is filled again');
});

test('a window that shrinks returns no credit for long, except when it is asked to', (t) => {
  const longest = (each: number) => {
    const window = new PipeWindow(256 * KIB, 16 * MIB);
    const transfer = new Transfer({ rate: 125_000, trip: 100 }, window).run(3_000);
    transfer.line = { rate: 300, trip: 100 };
    let pause = 0;
    let last = transfer.now;
    let due = transfer.now;
    const giveBack = window.giveBack.bind(window);
    window.giveBack = (cost, now) => {
      const back = giveBack(cost, now, now >= due ? cost : 0);
      if (now >= due) due = now + each;
      if (back > 0) {
        pause = Math.max(pause, now - last);
        last = now;
      }
      return back;
    };
    transfer.run(120_000);
    return pause;
  };
  t.true(
    longest(Number.POSITIVE_INFINITY) > 10_000,
    'a sender without credit for so long takes its peer for stuck',
  );
  t.true(longest(3_000) < 4_000);
});

test('a line that gets longer is measured again within half a minute, and filled again', (t) => {
  const transfer = grown({ rate: 50_000, trip: 20 }).run(3_000);
  transfer.line = { rate: 50_000, trip: 100 };
  transfer.run(25_000);
  t.true(share(transfer, 5_000) > 0.95);
});

/**
 * Simulates a machine that runs and pauses in turn, on average for `on` and for `off` milliseconds.
 */
function busy(on: number, off: number, seed: number): (at: number) => number {
  const random = seededRandom(seed);
  const lasts = (mean: number) => -Math.log(1 - random()) * mean;
  const runs: { from: number; to: number }[] = [{ from: 0, to: lasts(on) }];
  return (at) => {
    for (let last = runs.at(-1)!; last.to <= at; last = runs.at(-1)!) {
      const from = last.to + lasts(off);
      runs.push({ from, to: from + lasts(on) });
    }
    return Math.max(at, runs.find(({ to }) => to > at)!.from);
  };
}

test('a line with varying round trips is filled', (t) => {
  for (const period of [150, 230, 370]) {
    const ready = (at: number) => at + 10 + 10 * Math.sin((2 * Math.PI * at) / period);
    const carried = share(grown({ rate: 12_500, trip: 100, ready }).run(3_000), 6_000);
    t.true(carried > 0.9, `${carried} with waves of ${period} ms`);
  }
});

test('busy machines lose little of the rate of a line, however often they are late', (t) => {
  for (const [on, off, least] of [
    [10, 5, 0.9],
    [10, 20, 0.75],
    [400, 100, 0.6],
    [1_000, 200, 0.6],
  ] as const) {
    for (const seed of [1, 2, 3]) {
      const carried = share(
        grown({ rate: 12_500, trip: 100, ready: busy(on, off, seed) }).run(3_000),
        9_000,
      );
      t.true(carried > least, `${on} ms on, ${off} off: ${carried}`);
    }
  }
});

test('measuring the shortest round trip again costs a long line little', (t) => {
  const transfer = grown({ rate: 50_000, trip: 50 }).run(1_000);
  t.true(share(transfer, 60_000) > 0.97);
});

test('a sender with a slow start sees the window grow ahead of it', (t) => {
  const window = new PipeWindow(256 * KIB, 16 * MIB);
  window.pong(100, 0);
  // Each number is the kilobytes that the sender's congestion control lets through in 100 ms.
  let now = 0;
  for (const kilobytes of [65, 125, 135, 138]) {
    window.begin(now);
    for (let part = 0; part < 10; part++) window.giveBack(kilobytes * 100, now + 5 + part * 10);
    now += 100;
    window.pong(100, now);
  }
  window.giveBack(COST, now);
  t.true(window.granted >= 500_000, `${window.granted}`);
});

test('a sender with little to send leaves the window unchanged', (t) => {
  const transfer = grown({ rate: 125_000, trip: 100 }).run(3_000);
  const { window } = transfer;
  let { now } = transfer;
  const read = () => {
    for (let packet = 0; packet < 5; packet++) window.giveBack(COST, now);
  };
  window.pong(114, now); // Answers the PING of the current round.
  for (let i = 0; i < 10; i++) read();
  const { granted } = window;
  t.true(granted > 12_500_000);
  for (let i = 0; i < 50; i++) {
    now += 200;
    read();
    t.true(window.wantsRound(now));
    window.begin(now);
    read();
    window.pong(100, now + 100);
  }
  t.is(window.granted, granted);
});

test('a window that arrives in one burst, whose credit brings the next one after the PONG, still grows', (t) => {
  const window = new PipeWindow(256 * KIB, 16 * MIB);
  window.pong(50, 0);
  let granted = 256 * KIB;
  for (let now = 50; now < 1_000; now += 50) {
    window.pong(50, now);
    let given = 0;
    for (let spent = 0; spent < granted; spent += COST) given += window.giveBack(COST, now) - COST;
    if (window.wantsRound(now)) window.begin(now);
    granted += given;
  }
  t.is(granted, 16 * MIB);
});

test('at most a hundred PINGs a second go out, and none for a single message of a few packets', (t) => {
  const transfer = grown({ rate: 1_000_000, trip: 0.1 }).run(1_000);
  t.true(transfer.trips.length <= 101, `${transfer.trips.length}`);
  const window = new PipeWindow(256 * KIB, 16 * MIB);
  for (let packet = 0; packet < 3; packet++) window.giveBack(COST, 1);
  t.false(window.wantsRound(1));
});

test('a measurement during a sleep is not counted', (t) => {
  const window = new PipeWindow(256 * KIB, 16 * MIB);
  window.pong(100, 0);
  const round = (now: number, rtt: number) => {
    for (let packet = 0; packet < 10; packet++) window.giveBack(COST, now);
    window.begin(now);
    for (let packet = 0; packet < 10; packet++) window.giveBack(COST, now + rtt);
    window.pong(rtt, now + rtt);
    window.giveBack(COST, now + rtt);
    return window.granted;
  };
  const granted = round(100, 100);
  window.excuse();
  t.is(round(300, 0.1), granted);
  t.true(round(500, 100) >= granted);
});
