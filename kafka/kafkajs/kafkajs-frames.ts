import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

/*
 * When kafkajs closes a connection, it keeps the bytes of a partly read answer, and it only half-closes the socket, so that the broker may still send the
 * rest. After a reconnect kafkajs joins the bytes of the old and the new socket: frames are cut at the wrong places, answers are lost, or an
 * exception in a socket event ends the process. A broker that stands still for longer than the request timeout is enough to cause this.
 * Here each new socket starts with an empty buffer, and bytes that are not a frame close the connection like any other connection error.
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
    // A socket that is still connecting has a caller that waits for it, and has read nothing.
    if (this.socket?.connecting === false) letGoOf(this.socket);
    this.chunks = [];
    this.bytesBuffered = 0;
    this.bytesNeeded = SIZE_BYTES;
  }
  return connect.call(this);
};

/** Without this, kafkajs would take the old socket's events for events of the next socket. */
function letGoOf(socket: Socket): void {
  for (const event of ['data', 'end', 'error', 'timeout']) socket.removeAllListeners(event);
  // An error of the old socket changes nothing: its requests have been rejected already.
  socket.on('error', () => {});
  socket.destroy();
}

/** An alert of TLS, as the answer to a request that was sent without TLS. */
function isTlsAlert(data: Buffer): boolean {
  return data.length >= 3 && data[0] === 0x15 && data[1] === 0x03;
}

prototype.processData = function (this: Connection, data) {
  if (this.bytesBuffered === 0 && this.bytesNeeded === SIZE_BYTES && isTlsAlert(data)) {
    this.socket?.destroy(new Error('the broker answers with TLS'));
    return;
  }
  try {
    processData.call(this, data);
  } catch (error) {
    this.socket?.destroy(new Error('the broker sent bytes that are not an answer', { cause: error }));
  }
};
