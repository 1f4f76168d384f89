// What bench/peers, a package of its own, needs of this workspace.

export { startNatsServer } from '@trunkline/local-nats';
