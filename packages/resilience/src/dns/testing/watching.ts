// An observer of a name whose reports a test can wait for.

import type { ResolvedAddress, Resolver, TransportError } from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';

/** A report of a resolver: a list of addresses, or an error. */
export type Report = readonly ResolvedAddress[] | TransportError;

/** Watches a name and keeps the reports. */
export class Watching implements ResolutionObserver {
  readonly reports: Report[] = [];
  readonly stop: () => void;
  #wake = () => {};

  constructor(resolver: Resolver, target: string) {
    this.stop = resolver.watch(target, this);
  }

  resolved(addresses: readonly ResolvedAddress[]): void {
    this.reports.push(addresses);
    this.#wake();
  }

  failed(error: TransportError): void {
    this.reports.push(error);
    this.#wake();
  }

  /**
   * Resolves to the report with this number once it has arrived. The first report has the number 1.
   */
  async report(number: number): Promise<Report> {
    while (this.reports.length < number)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.reports[number - 1]!;
  }

  /** Returns the addresses of a report, sorted. */
  async addresses(number: number): Promise<string[]> {
    const report = await this.report(number);
    if (!Array.isArray(report)) throw report;
    return (report as readonly ResolvedAddress[]).map(({ address }) => address).sort();
  }
}
