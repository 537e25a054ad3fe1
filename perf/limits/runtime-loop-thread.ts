import { eachPacked } from './packed-batch.ts';

/** The thread of the bare loop: parses each value of a packed batch. */
// biome-ignore lint/style/noDefaultExport: a worker entry is its module's default.
export default function parseBatch(buffer: ArrayBuffer | null): void {
  if (buffer !== null) eachPacked(buffer, (_key, value) => JSON.parse(value));
}
