// The token of the simulated crew. Used by `ordermesh up` and `ordermesh smoke`.

import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { needsPairing } from '../../display/index.ts';
import { hashOf, newScreenToken } from '../../display/pairing/code.ts';
import { admitToken, revokeScreens, withDatabase } from '../../store/index.ts';

export interface CrewToken extends AsyncDisposable {
  /** `undefined` where the display is open. */
  token: string | undefined;
}

/** Admits the crew as a screen of the chain where screens must be paired, and removes it at the end. */
export async function crewToken(config: ConnectedConfig): Promise<CrewToken> {
  if (!needsPairing(config)) return { token: undefined, async [Symbol.asyncDispose]() {} };
  const token = newScreenToken();
  const { screenId } = await withDatabase(config, (sql) =>
    admitToken(sql, hashOf(token), { name: 'simulated crew', storeId: undefined }),
  );
  return {
    token,
    async [Symbol.asyncDispose]() {
      await withDatabase(config, (sql) => revokeScreens(sql, { screenId }));
    },
  };
}
