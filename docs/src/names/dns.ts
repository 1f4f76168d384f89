import { createDnsResolver } from '@trunkline/resilience/dns';
import { bytes, createTransport, defineProtocol, tcp } from 'trunkline';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { place: { id: 1, request: bytes, response: bytes } },
});

/** @param servers IP addresses of DNS servers; default: those of /etc/resolv.conf. */
export function shop(servers?: string[]) {
  return createTransport({
    protocol: orders,
    backends: [tcp()],
    resolve: createDnsResolver({ servers, scheme: 'tcp' }),
  });
}

/** Calls an instance of a Kubernetes headless service. */
export function place(
  order: Uint8Array,
  transport = shop(),
  target = 'dns:///orders.prod.svc.cluster.local:7000',
): Promise<Uint8Array> {
  return transport.send(target, 'place', order);
}
