import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

const http = createServer();
const server = new Server(http);
server.on('connection', (socket) => {
  socket.on('place', (item, acknowledge) => {
    acknowledge(`${item} ordered`);
    socket.emit('news', `${item} packed`);
  });
});
await once(http.listen(0, '127.0.0.1'), 'listening');

const socket = io(`http://127.0.0.1:${http.address().port}`);
const news = new Promise((resolve) => socket.once('news', resolve));
console.log(await socket.timeout(5_000).emitWithAck('place', 'apples'));
console.log(await news);
socket.disconnect();
await server.close();
