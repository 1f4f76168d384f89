import { createIdentity } from '@trunkline/security';
import { wampSignal } from '@trunkline/transport-webrtc/wamp';

const { nodeId } = createIdentity();
export const signal = wampSignal({ url: 'wss://router.example/ws', realm: 'main', nodeId });
