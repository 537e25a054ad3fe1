// The probe order and its token, for `region failover` and `region failback`.

import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../contracts/config/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { readInputFile } from '../../contracts/input-file.ts';
import { orderSchema } from '../../contracts/order/order.ts';
import { compileValidator } from '../../contracts/validation.ts';
import { assertIssuer, issueToken } from '../../gateway/identity/index.ts';

export interface Probing {
  probeOrder?: string;
  tokenFile?: string;
}

/** No menu has this store, so the order is rejected: nothing is charged or cooked, and the rejection proves that orders are worked on. */
const harmlessOrder = {
  storeId: 'probe',
  channel: 'pos',
  currency: 'USD',
  items: [{ sku: 'probe', quantity: 1, unitPrice: 100, modifiers: [] }],
  total: 100,
  payment: { method: 'cash' },
};

const validate = compileValidator(orderSchema);

/**
 * The probe order of a failover and its token. Both are checked before anything is changed: afterwards a gateway would refuse a wrong order or
 * token.
 * @throws UsageError, ConfigError
 */
export async function probeWith({
  probeOrder: file,
  tokenFile,
}: Probing): Promise<{ probeOrder: Readonly<Record<string, unknown>>; token: string | undefined }> {
  const probeOrder = file === undefined ? harmlessOrder : await readOrder(file);
  const config = loadConfig();
  if (!config.ORDERMESH_AUTH) return { probeOrder, token: undefined };
  if (tokenFile !== undefined) {
    const token = (await readInputFile(tokenFile)).trim();
    if (!/^[\w.~+/-]+=*$/.test(token))
      throw new UsageError(
        `${tokenFile} ${token === '' ? 'is empty' : 'holds more than a token'}; --token-file takes a token of the probe order's store`,
      );
    return { probeOrder, token };
  }
  // Gateways refuse a token of an issuer that they do not know.
  await assertIssuer(config);
  return { probeOrder, token: await issueToken({ config, store: probeOrder.storeId }) };
}

async function readOrder(file: string): Promise<typeof harmlessOrder> {
  const text = await readInputFile(file);
  let order: unknown;
  try {
    order = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the probe order ${file} is not JSON: ${(error as Error).message}`);
  }
  const checked = validate({
    ...(order as object | null),
    orderId: randomUUID(),
    placedAt: new Date().toISOString(),
  });
  if (!checked.ok) {
    const faults = checked.errors.map(({ pointer, detail }) => `${pointer || '/'} ${detail}`);
    throw new UsageError(`the gateway would not take the probe order ${file}: ${faults.join('; ')}`);
  }
  return order as typeof harmlessOrder;
}
