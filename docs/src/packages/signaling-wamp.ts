import { createWampSignal } from '@trunkline/transport-webrtc/wamp';
import { createIdentity } from 'trunkline/security';

const { nodeId } = createIdentity();
export const signal = createWampSignal({ url: 'wss://router.example/ws', realm: 'main', nodeId });
