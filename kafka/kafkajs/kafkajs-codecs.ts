import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';

/*
 * kafkajs brings gzip only, and a consumer that meets another codec stands still. The codecs of the other client serve here too: zstd is Node's own,
 * snappy and lz4 are WebAssembly that comes with it. A topic is compressed by its `compression.type` whatever its producers do.
 */

const { CompressionCodecs, CompressionTypes } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = codec('snappy');
CompressionCodecs[CompressionTypes.LZ4] = codec('lz4');
CompressionCodecs[CompressionTypes.ZSTD] = codec('zstd');

/** In the shape that kafkajs's documentation gives for codecs of others. */
function codec(name: 'snappy' | 'lz4' | 'zstd') {
  const { compressSync, decompressSync } = compressionsAlgorithms[name];
  return () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (buffer: Buffer) => decompressSync(buffer),
  });
}
