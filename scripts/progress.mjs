// Progress of tests that run side by side: one line for each package that has ended and, in
// between, the cases done so far. A terminal shows these in one line that is rewritten each second;
// a log gets a line of them every ten seconds. Used by test.mjs.

const PERIOD = { terminal: 1_000, log: 10_000 };

/** Starts to report on `packages` packages. */
export function createProgress(packages) {
  const begin = performance.now();
  const terminal = process.stdout.isTTY === true;
  const running = new Map();
  let ended = 0;
  const elapsed = () => performance.now() - begin;

  const clear = () => {
    if (terminal) process.stdout.write('\r\x1b[2K');
  };
  const show = () => {
    if (running.size === 0) return;
    const cases = [...running].map(([name, done]) => `${name} ${done}`).join(', ');
    const line = `  ${duration(elapsed())}  ${ended} of ${packages} packages; cases done in ${cases}`;
    process.stdout.write(
      terminal ? `\r\x1b[2K${line.slice(0, (process.stdout.columns ?? 80) - 1)}` : `${line}\n`,
    );
  };
  const timer = setInterval(show, terminal ? PERIOD.terminal : PERIOD.log);

  return {
    elapsed,
    close() {
      clearInterval(timer);
      clear();
    },
    /** Starts a package. */
    start(name) {
      const started = elapsed();
      running.set(name, 0);
      return {
        /** Adds to the number of its finished cases. */
        done: (cases) => running.set(name, running.get(name) + cases),
        /** Ends it: prints its counts, and below them the lines of its skips and failures. */
        end({ passed, failed, skipped }, details) {
          running.delete(name);
          ended += 1;
          clear();
          const skips = skipped > 0 ? `, ${skipped} skipped` : '';
          const counts = `${String(passed).padStart(5)} passed, ${failed} failed${skips}`;
          console.log(
            `${name.padEnd(20)} ${counts}  (${duration(elapsed() - started)}, ${ended} of ${packages})`,
          );
          for (const line of details) console.log(line);
        },
      };
    },
  };
}

/** Formats milliseconds as minutes and seconds: 1:07. */
export function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
