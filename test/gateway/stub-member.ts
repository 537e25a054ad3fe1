import { existsSync } from 'node:fs';
import type { FromMember, ToMember } from '../../gateway/cluster/messages.ts';

/** A member process of a gateway cluster that opens no port. It refuses to start while the file `refuse` is in its data folder. */
const tell = (message: FromMember) => process.send?.(message);

process.on('message', (message: ToMember) => {
  switch (message.type) {
    case 'start':
      if (existsSync(`${message.config.ORDERMESH_DATA_DIR}/refuse`)) {
        process.send?.({ type: 'refused', name: 'Error', message: 'ORDERMESH_JWKS is broken' }, () => process.exit(1));
        return;
      }
      tell({ type: 'started', addresses: {} });
      tell({ type: 'readiness' });
      break;
    case 'ping':
      tell({ type: 'pong' });
      break;
    case 'snapshot':
      tell({ type: 'snapshot', id: message.id, snapshot: [] });
      break;
    case 'profile':
      // Like a member that hangs during a profile: the profile never comes.
      break;
  }
});
process.on('disconnect', () => process.exit(0));
