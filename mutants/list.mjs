// All mutants; see main.mjs.

import { core } from './core.mjs';
import { gossip } from './gossip.mjs';
import { peers } from './peers.mjs';
import { security } from './security.mjs';
import { simulation } from './simulation.mjs';
import { sockets } from './sockets.mjs';
import { survivors } from './survivors.mjs';

/** The mutants that a test kills. */
export const MUTANTS = [...core, ...sockets, ...security, ...gossip, ...peers, ...simulation];

/** The mutants that no test kills yet, each with a `note` instead of a `killer`. */
export const SURVIVORS = survivors;
