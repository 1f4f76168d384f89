import {
  type AllowCall,
  type ClientInterceptor,
  createTransport,
  defineProtocol,
  inmem,
  json,
  serve,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// An issuer whose tokens are valid for one call each, to show the refresh.
let issued = 0;
let valid = '';
const issue = async () => (valid = `token ${++issued}`);

// Adds the token to each call, and gets a new one when the server refuses it.
function bearer(): ClientInterceptor {
  let token = issue();
  return (next) => async (call) => {
    const attempt = async () => {
      call.metadata = { ...call.metadata, authorization: await token };
      return next(call);
    };
    return attempt().catch((error) => {
      if (!(error instanceof TransportError && error.code === 'unauthenticated')) throw error;
      token = issue();
      return attempt();
    });
  };
}

// Checks the token of each call, so a connection may outlive many tokens.
const allow: AllowCall = (_remote, method, { authorization }) => {
  const isValid = authorization === valid;
  console.log(`${method} with ${authorization}: ${isValid ? 'allowed' : 'refused'}`);
  if (!isValid) throw new TransportError('unauthenticated', 'the token is not valid');
  valid = ''; // used
  return true;
};

const backends = [inmem()];
const server = createTransport('inmem://greeter', { protocol: greeter, backends });
serve(server, { greet: (name) => `Hello, ${name}!` }, { allow });
await server.listen();
const client = createTransport({
  protocol: greeter,
  backends,
  interceptors: { client: [bearer()] },
});
for (const name of ['Ada', 'Bob']) console.log(await client.send('inmem://greeter', 'greet', name));
await client.close();
await server.close();
