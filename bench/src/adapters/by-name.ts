// The adapters that can be measured, by the names in the tables. A process loads only the one that
// it needs.

import type { Adapter } from './adapter.ts';

const observed = () => import('./trunkline-observed.ts');

const ADAPTERS: Readonly<Record<string, () => Promise<Adapter>>> = {
  'limit-net': async () => (await import('./limit-net.ts')).limitNet,
  'limit-net-early': async () => (await import('./limit-net.ts')).limitNetEarly,
  'limit-net-credit': async () => (await import('./limit-net.ts')).limitNetCredit,
  'trunkline-tcp': async () => (await import('./trunkline.ts')).trunklineTcp,
  'trunkline-tcp-consumer': async () => (await import('./trunkline.ts')).trunklineTcpConsumer,
  'trunkline-tcp-fixed': async () => (await import('./trunkline.ts')).trunklineTcpFixed,
  'trunkline-tcp-json': async () => (await import('./trunkline-codec.ts')).trunklineTcpJson,
  'trunkline-tcp-protobuf': async () => (await import('./trunkline-codec.ts')).trunklineTcpProtobuf,
  'limit-ws': async () => (await import('./limit-ws.ts')).limitWs,
  'trunkline-ws': async () => (await import('./trunkline.ts')).trunklineWs,
  'limit-inproc': async () => (await import('./limit-inproc.ts')).limitInproc,
  'trunkline-inmem': async () => (await import('./trunkline-inmem.ts')).trunklineInmem,
  'trunkline-inmem-streams': async () =>
    (await import('./trunkline-inmem.ts')).trunklineInmemStreams,
  'limit-tls': async () => (await import('./limit-net.ts')).limitTls,
  'trunkline-tls': async () => (await import('./trunkline.ts')).trunklineTls,
  'trunkline-noise': async () => (await import('./trunkline.ts')).trunklineNoise,
  'trunkline-tcp-interceptors': async () => (await observed()).observedTcp('interceptors'),
  'trunkline-tcp-metrics': async () => (await observed()).observedTcp('metrics'),
  'trunkline-tcp-spans-1': async () => (await observed()).observedTcp('spans-1'),
  'trunkline-tcp-spans-100': async () => (await observed()).observedTcp('spans-100'),
  'trunkline-inmem-interceptors': async () => (await observed()).observedInmem('interceptors'),
  'trunkline-inmem-metrics': async () => (await observed()).observedInmem('metrics'),
  'trunkline-inmem-spans-1': async () => (await observed()).observedInmem('spans-1'),
  'trunkline-inmem-spans-100': async () => (await observed()).observedInmem('spans-100'),
};

export const ADAPTER_NAMES: readonly string[] = Object.keys(ADAPTERS);

/** Loads an adapter. @throws TypeError if no adapter has this name. */
export async function adapterOf(name: string): Promise<Adapter> {
  const load = ADAPTERS[name];
  if (load === undefined)
    throw new TypeError(`no adapter is named '${name}'; there are ${ADAPTER_NAMES.join(', ')}`);
  return load();
}
