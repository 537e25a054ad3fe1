import type { ConnectedConfig } from '../../contracts/config/config.ts';
import { type Admin, createAdmin } from './admin.ts';

/**
 * Runs `use` with an admin client and closes the client afterwards. For commands.
 * @throws what `createAdmin` and `use` throw
 */
export async function withAdmin<T>(
  { KAFKA_BROKERS }: Pick<ConnectedConfig, 'KAFKA_BROKERS'>,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = await createAdmin({ clientId: 'ordermesh-cli', brokers: KAFKA_BROKERS });
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}
