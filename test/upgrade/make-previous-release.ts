// Packs the sources of a release for the test of a rolling upgrade: `node test/upgrade/make-previous-release.ts COMMIT`. Run at each release.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { archiveFile, rooms } from './previous-release.ts';

const BYTES_MAX = 256 * 2 ** 20;

const commit = process.argv[2];
if (commit === undefined || process.argv.length > 3) {
  process.stderr.write('make-previous-release: it takes the commit or tag of the previous release\n');
  process.exit(2);
}
const sources = execFileSync('git', ['archive', commit, '--', ...rooms, 'package.json'], { maxBuffer: BYTES_MAX });
const packed = brotliCompressSync(sources, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: sources.length,
  },
});
writeFileSync(archiveFile, packed);
process.stdout.write(`${archiveFile.pathname}: ${packed.length} bytes, the sources of ${commit}\n`);
