// Shows that a command is waiting, once it has printed nothing for a second.

import type { CliTerminal } from './terminal.ts';

/** The progress of one command, on the error output of a terminal. */
export class Progress {
  /** The terminal for the command: whatever it prints hides the progress. */
  readonly terminal: CliTerminal;
  readonly #given: CliTerminal;
  readonly #start: number;
  readonly #isWanted: boolean;
  #timer: unknown;
  #isShown = false;

  /** @param isWanted false if nothing is shown */
  constructor(given: CliTerminal, isWanted: boolean) {
    this.#given = given;
    this.#isWanted = isWanted && given.showsProgress;
    this.#start = given.clock.now();
    this.terminal = Object.create(given, {
      out: {
        value: (text: string) => {
          this.#restart();
          return given.out(text);
        },
      },
      err: {
        value: (text: string) => {
          this.#restart();
          given.err(text);
        },
      },
    });
    this.#restart();
  }

  /** Hides the progress. Call it after the last output: any output starts the progress again. */
  stop(): void {
    this.#hide();
    this.#given.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #restart(): void {
    this.stop();
    if (this.#isWanted) this.#wait();
  }

  #wait(): void {
    this.#timer = this.#given.clock.setTimeout(() => {
      const seconds = Math.round((this.#given.clock.now() - this.#start) / 1_000);
      this.#given.err(`\r\u001b[Kwaiting … ${seconds} s (Ctrl-C ends)`);
      this.#isShown = true;
      this.#wait();
    }, 1_000);
  }

  #hide(): void {
    if (this.#isShown) this.#given.err('\r\u001b[K');
    this.#isShown = false;
  }
}
