// Runs `ip`, with which the fleet's network is made. Used by host.ts in the office and by the hosts themselves.

import { run } from '../../stack/index.ts';

/** @throws with what `ip` says, or naming the package that has it */
export async function ip(...args: string[]): Promise<void> {
  await run('ip', args, { doing: `ip ${args.join(' ')}`, missing: 'ip is missing (Debian: apt-get install iproute2)' });
}
