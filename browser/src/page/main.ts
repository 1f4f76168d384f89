// The page of all tests: its functions are globals, which `ask` calls.

import { runCase } from './cases.ts';
import { node } from './node.ts';
import { peerConnections } from './peer-connections.ts';
import { runGolden } from './simulation.ts';

const functions = { ...node, ...peerConnections, runCase, runGolden };
Object.assign(globalThis, functions);

export type PageFunctions = typeof functions;
