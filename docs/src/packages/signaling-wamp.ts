import { createIdentity } from '@trunkline/identity';
import { wampSignal } from '@trunkline/signaling-wamp';

const { nodeId } = createIdentity();
export const signal = wampSignal({ url: 'wss://router.example/ws', realm: 'main', nodeId });
