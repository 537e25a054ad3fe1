// The program of the Toxiproxy server. Called by the chaos run's system.ts.

import { goProgram } from '../../../stack/index.ts';

/** The Toxiproxy server's program. No package registry has it, so it is built once from its Go module (half a minute). */
export function toxiproxyBinary(cacheDir: string, onProgress: (line: string) => void): Promise<string> {
  const program = {
    name: 'toxiproxy-server',
    version: '2.12.0',
    package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
  };
  return goProgram(cacheDir, program, onProgress);
}
