import type { Config } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { type Admin, createAdmin } from './admin.ts';

/**
 * Runs `use` with an admin client and closes the client afterwards. For commands.
 * @throws what `createAdmin` and `use` throw
 */
export async function withAdmin<T>(config: Config, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = await createAdmin({ clientId: 'ordermesh-cli', cluster: clusterOf(config) });
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}
