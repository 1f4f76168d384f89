// Progress of tests that run side by side: the number of cases done so far. A terminal shows it in
// a line that is rewritten each second; a log gets a line every ten seconds. Used by test.mjs.

const PERIOD = { terminal: 1_000, log: 10_000 };

/** Starts to show progress. */
export function createProgress() {
  const begin = performance.now();
  const terminal = process.stdout.isTTY === true;
  let done = 0;

  const clear = () => {
    if (terminal) process.stdout.write('\r\x1b[2K');
  };
  const show = () => {
    clear();
    const line = `  ${duration(performance.now() - begin)}  ${done} cases done`;
    process.stdout.write(terminal ? line : `${line}\n`);
  };
  const timer = setInterval(show, terminal ? PERIOD.terminal : PERIOD.log);

  return {
    /** Counts a finished case. */
    count() {
      done += 1;
    },
    print(text) {
      clear();
      console.log(text);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}

/** Formats milliseconds as minutes and seconds: 1:07. */
export function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
