// Starts two-hosts.ts in namespaces of its own. Started by hosts.integration.test.ts.

import { fileURLToPath } from 'node:url';
import { runEnclosed } from '../../../lab/fleet/enclosure.ts';
import { stopRequest } from '../../../telemetry/role.ts';

const program = fileURLToPath(new URL('two-hosts.ts', import.meta.url));
process.exit(await runEnclosed(program, process.argv.slice(2), stopRequest()));
