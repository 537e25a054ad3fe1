import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/*
 * kafkajs keeps what it has read of an answer when its connection is closed, and it half-closes the socket, so that the rest may still come. Connected
 * again, it puts the bytes of both sockets together: the frames are cut at the wrong places, answers are lost, or an exception in the socket's event
 * ends the process. A broker that stood still for longer than a request may take is enough. Here a connection begins with nothing of an earlier
 * one, and bytes that are no frame end it as any other error of the connection does.
 */

const require = createRequire(import.meta.url);

const SIZE_BYTES = 4;

interface Connection {
  /** Absent before the first attempt to connect. */
  socket?: Socket;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  isConnected(): boolean;
  connect(): Promise<boolean>;
  processData(data: Buffer): void;
}

const { prototype } = require('kafkajs/src/network/connection.js') as { prototype: Connection };
const { connect, processData } = prototype;

prototype.connect = function (this: Connection) {
  if (!this.isConnected()) {
    // One that is on its way has a caller that waits for it, and has read nothing.
    if (this.socket?.connecting === false) letGoOf(this.socket);
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = SIZE_BYTES;
  }
  return connect.call(this);
};

/** Its events would be taken for those of the next socket. */
function letGoOf(socket: Socket): void {
  for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event);
  // Its requests have been rejected already.
  socket.on('error', () => {});
  socket.destroy();
}

prototype.processData = function (this: Connection, data) {
  try {
    processData.call(this, data);
  } catch (error) {
    this.socket?.destroy(new Error('the broker has sent what is no answer', { cause: error }));
  }
};
