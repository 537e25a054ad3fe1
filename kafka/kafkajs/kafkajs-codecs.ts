import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';

/*
 * kafkajs can decode gzip only, and a consumer that meets another codec stands still. So kafkajs gets the codecs of @platformatic/kafka:
 * zstd is Node's own; snappy and lz4 are WebAssembly in that package. A topic is compressed by its `compression.type`, whatever its
 * producers do.
 */

const { CompressionCodecs, CompressionTypes } = kafkajs;

CompressionCodecs[CompressionTypes.Snappy] = codec('snappy');
CompressionCodecs[CompressionTypes.LZ4] = codec('lz4');
CompressionCodecs[CompressionTypes.ZSTD] = codec('zstd');

/** In the form that kafkajs's documentation describes for custom codecs. */
function codec(name: 'snappy' | 'lz4' | 'zstd') {
  const { compressSync, decompressSync } = compressionsAlgorithms[name];
  return () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (buffer: Buffer) => decompressSync(buffer),
  });
}
