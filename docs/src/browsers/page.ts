import { bytes, createTransport, defineProtocol, serve } from 'trunkline';

const SERVER = 'wss://app.example/rpc';
const board = defineProtocol({
  name: 'board',
  version: 1,
  channel: 0x20,
  methods: { draw: { id: 1, request: bytes } },
});

/** Takes part in a board; `paint` receives the strokes that the server passes on. */
export function join(paint: (stroke: Uint8Array) => void) {
  const transport = createTransport({ protocol: board });
  serve(transport, { draw: paint });
  transport.hold(SERVER); // dials now, and again whenever the connection is lost
  return { draw: (stroke: Uint8Array) => transport.send(SERVER, 'draw', stroke) };
}
