// Signaling that leads a page to a proxy: it replaces the candidates of Node's sockets, and keeps
// the page's own from Node, so that the proxy is the only path.

import type { SignalMessage } from '@trunkline/transport-webrtc';
import { NodeSignals } from './node-signals.ts';
import type { UdpProxy } from './udp-proxy.ts';

export class ProxiedSignals extends NodeSignals {
  readonly #proxy: UdpProxy;
  readonly #ports = new Map<number, number>();

  constructor(proxy: UdpProxy) {
    super();
    this.#proxy = proxy;
  }

  override async sendSignal(session: number, message: SignalMessage): Promise<void> {
    if (message.type !== 'candidate') await super.sendSignal(session, message);
  }

  protected override received(message: SignalMessage): SignalMessage {
    if (message.type === 'candidate')
      return { ...message, candidate: this.#proxied(message.candidate) };
    const sdp = message.sdp.replace(/candidate:[^\r\n]*/g, (line) => this.#proxied(line));
    return { ...message, sdp };
  }

  /** Replaces the port of a candidate. */
  #proxied(candidate: string): string {
    const fields = candidate.split(' ');
    const port = Number(fields[5]);
    const through = this.#ports.get(port) ?? this.#proxy.through(port);
    this.#ports.set(port, through);
    fields[5] = String(through);
    return fields.join(' ');
  }
}
