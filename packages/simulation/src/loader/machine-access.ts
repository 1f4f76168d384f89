// The functions of Trunkline's own packages, which all nodes share with the program, that
// reach the disk, sockets or processes of the machine. Loaded code can import them, but not call
// them.

import { PROCESSES, SOCKETS } from './builtins.ts';
import { overlay } from './overlay.ts';
import type { Refusals } from './refusals.ts';

/** Returns the exports of a shared package as loaded code sees them. */
export function withoutMachineAccess(
  exports: object,
  packageName: string,
  refusals: (remedy: string) => Refusals,
): object {
  if (!/^(?:trunkline$|@trunkline\/)/.test(packageName)) return exports;
  const byRemedy = new Map<string, Refusals>();
  return overlay(exports, {}, (key, value) => {
    const remedy = machineAccess.get(key);
    if (remedy === undefined) return value;
    if (!byRemedy.has(remedy)) byRemedy.set(remedy, refusals(remedy));
    return byRemedy.get(remedy)!.of(value, `${packageName}: ${String(key)}`);
  });
}

const FILES = 'use the store of the node, or node:fs, which is the disk of the node';
/** The names of the functions and classes, by their remedies. */
const NAMES: Readonly<Record<string, string>> = {
  [SOCKETS]:
    'tcp createTcpStreamLayer ws createWsStreamLayer nats serveNats createNatsStreamLayer webrtc createWebRtcStreamLayer createWampSignal createPortMapping createDnsResolver serveDashboard machine MutualTls',
  [FILES]:
    'writeAtomically fileDisk readRegular loadCertificate saveCertificate loadIdentity loadOrCreateIdentity saveIdentity createFileAddressBook createFileStore getBuiltinModule',
  [PROCESSES]: 'createCluster joinCluster clusterSlot runOnProcesses runCli runCliProcess',
};
/** The remedy for each function and class that reaches the machine. */
export const machineAccess: ReadonlyMap<PropertyKey, string> = new Map(
  Object.entries(NAMES).flatMap(([remedy, names]) =>
    names.split(' ').map((name) => [name, remedy] as const),
  ),
);
