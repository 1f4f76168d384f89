import { createTransport, serve } from 'trunkline';
import { notices } from './notices.ts';

const SERVER = new URL('/rpc', import.meta.url).href.replace('http', 'ws');
const transport = createTransport({ protocol: notices });
serve(transport, {
  show(notice) {
    console.log(`the server says: ${notice}`);
    return true;
  },
});
transport.hold(SERVER);
console.log(await transport.send(SERVER, 'join', 'Ada'));
