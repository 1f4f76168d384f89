// The methods of a simulation that inject one fault each.

import type { Fault } from '../faults/fault.ts';
import type { Simulation } from '../simulation.ts';

/** A simulation whose faults all go through `inject`. */
export abstract class FaultMethods {
  abstract inject(fault: Fault): void;

  partition(...groups: readonly (readonly string[])[]): void {
    this.inject({ do: 'partition', groups });
  }

  cut: Simulation['cut'] = (from, to, { direction } = {}) =>
    this.inject({ do: 'cut', from, to, direction });

  hold: Simulation['hold'] = (from, to, { direction } = {}) =>
    this.inject({ do: 'hold', from, to, direction });

  release: Simulation['release'] = (from, to, { direction } = {}) =>
    this.inject({ do: 'release', from, to, direction });

  link: Simulation['link'] = (from, to, link, { direction } = {}) =>
    this.inject({ do: 'link', from, to, link, direction });

  reset(from: string, to: string): void {
    this.inject({ do: 'reset', from, to });
  }

  heal(): void {
    this.inject({ do: 'heal' });
  }

  crash: Simulation['crash'] = (node, { power } = {}) => this.inject({ do: 'crash', node, power });

  restart(node: string): void {
    this.inject({ do: 'restart', node });
  }

  pause(node: string, milliseconds: number): void {
    this.inject({ do: 'pause', node, for: milliseconds });
  }

  refuse(node: string): void {
    this.inject({ do: 'refuse', node });
  }

  slow(node: string, cost: number): void {
    this.inject({ do: 'slow', node, cost });
  }

  skew: Simulation['skew'] = (node, by, { clock } = {}) =>
    this.inject({ do: 'skew', node, by, clock });

  drift(node: string, ppm: number): void {
    this.inject({ do: 'drift', node, ppm });
  }

  disk: Simulation['disk'] = (node, disk) => this.inject({ do: 'disk', node, disk });
}
