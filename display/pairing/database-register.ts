// The register of screens in PostgreSQL. Created by display/server.ts.

import {
  BoundedPool,
  type DatabaseServer,
  findScreen,
  openPairing,
  pairingOf,
  renewScreens,
} from '../../store/index.ts';
import type { ScreenRegister } from './register.ts';

/** A page waits for the answer. */
const ANSWER_MS_MAX = 3_000;

export function databaseRegister(server: DatabaseServer): ScreenRegister {
  const pool = new BoundedPool({ server, connections: 1, application: 'display-screens', answerMsMax: ANSWER_MS_MAX });
  return {
    find: (tokenHash) => pool.call((sql) => findScreen(sql, tokenHash)),
    renew: (screenIds) => pool.call((sql) => renewScreens(sql, screenIds)),
    pairingOf: (tokenHash) => pool.call((sql) => pairingOf(sql, tokenHash)),
    openPairing: (pairing) => pool.call((sql) => openPairing(sql, pairing)),
    close: () => pool.close(),
  };
}
