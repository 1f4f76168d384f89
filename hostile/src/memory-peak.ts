// Measures the peak memory of this process since a reset: the larger of the kernel's figure and of
// samples taken every 50 ms.

import { readFileSync, writeFileSync } from 'node:fs';

export class MemoryPeak {
  #sampled = process.memoryUsage.rss();
  readonly #timer = setInterval(() => this.#sample(), 50).unref();

  reset(): void {
    this.#sampled = process.memoryUsage.rss();
    try {
      writeFileSync('/proc/self/clear_refs', '5');
    } catch {
      // Another system, or no permission: only the samples start anew.
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

/**
 * Returns VmHWM in bytes, or 0 if the system does not report it. If the reset failed, it includes
 * earlier peaks.
 */
function kernelPeak(): number {
  try {
    return (
      Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) *
      1_024
    );
  } catch {
    return 0;
  }
}
