import { bytes, createTransport, defineProtocol, type ResolvedAddress, tcp } from 'trunkline';

const protocol = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { place: { id: 1, request: bytes, response: bytes } },
});

const instances: Record<string, ResolvedAddress[]> = {
  orders: [
    { address: 'tcp://10.0.0.1:7000', weight: 3 }, // three of four calls start here
    { address: 'tcp://10.0.0.2:7000' }, // weight 1
    { address: 'tcp://10.9.0.1:7000', priority: 1 }, // only if neither of the others answers
  ],
};

export const transport = createTransport({
  protocol,
  backends: [tcp()],
  resolve: (target) => instances[target], // undefined: the target is dialed as it is
});
