import type { Socket } from 'node:net';

/** The two connections of a TCP proxy: `sockets` holds both while they are open, and when one of them ends or fails the other is closed. */
export function linkSockets(sockets: Set<Socket>, client: Socket, upstream: Socket): void {
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  }
}
