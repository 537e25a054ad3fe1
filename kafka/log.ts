/** Where this room logs to: its owner passes it in, so the room needs no logger of its own. A pino logger fits. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const silentLog: Log = { info() {}, warn() {}, error() {} };
