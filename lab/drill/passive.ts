import type { Problem } from '../../contracts/errors.ts';
import { storeTokens } from '../../gateway/identity/index.ts';
import { until } from '../../stack/system/index.ts';
import type { DrillRegion } from './region.ts';
import { hostOf } from './topology.ts';
import { drillTraffic } from './traffic.ts';

const ANSWER_MS_MAX = 15_000;

/** Offers an order to a region's own address. @throws unless it is refused with 503 and the name of the active region */
export async function assertPassive(region: DrillRegion, active: string, say: (line: string) => void): Promise<void> {
  const { config, name } = region;
  const { body, storeId } = drillTraffic(0).order(Date.now());
  const token = await storeTokens(config)(storeId);
  let answer = '';
  const refused = await until(ANSWER_MS_MAX, async () => {
    try {
      const response = await fetch(`http://${hostOf[name]}:${config.ORDERMESH_GATEWAY_PORT}/v1/orders`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body,
      });
      const { code, detail } = (await response.json()) as Problem;
      answer = `${response.status} ${code}: ${detail}`;
      return response.status === 503 && code === 'region-passive' && detail.includes(active);
    } catch (error) {
      answer = (error as Error).message;
      return false;
    }
  });
  if (!refused) throw new Error(`the gateway of the passive region ${name} answers ${answer}`);
  say(`the gateway of the ${name} answers ${answer}`);
}
