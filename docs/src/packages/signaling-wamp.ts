import { createWampSignal } from '@trunkline/transport-webrtc/wamp';
import { createIdentity } from 'trunkline/security';

const { nodeId } = createIdentity();
export const signal = createWampSignal({
  address: 'wss://router.example/ws',
  realm: 'main',
  nodeId,
});
