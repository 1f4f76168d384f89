// The most memory that this process had since a moment: the kernel's own figure where it can be reset, otherwise of samples.

import { readFileSync, writeFileSync } from 'node:fs';

export class MemoryPeak {
  #sampled = process.memoryUsage.rss();
  readonly #timer = setInterval(() => this.#sample(), 50).unref();

  reset(): void {
    this.#sampled = process.memoryUsage.rss();
    try {
      writeFileSync('/proc/self/clear_refs', '5');
    } catch {
      // Another system, or not permitted: the samples are all there is.
    }
  }

  read(): number {
    this.#sample();
    return Math.max(this.#sampled, kernelPeak());
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    this.#sampled = Math.max(this.#sampled, process.memoryUsage.rss());
  }
}

/** VmHWM in bytes; 0 where there is none, or where it could not be reset and so tells of an earlier time. */
function kernelPeak(): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
