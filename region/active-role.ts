import { Gauge, Registry } from 'prom-client';
import { adminUrl } from '../contracts/config/admin.ts';
import type { Config } from '../contracts/config/config.ts';
import type { RoleName, RunningRole } from '../contracts/roles.ts';
import { openAdminPort } from '../telemetry/admin-port.ts';
import type { Logger } from '../telemetry/logger.ts';
import { StateLog } from '../telemetry/state-log.ts';
import { watchActivity } from './activity.ts';

type StartRole = (config: Config, logger: Logger) => Promise<RunningRole>;

const RETRY_MS = 1_000;

/**
 * A role that runs only while its region is the active one, and waits with `/readyz` at 503 otherwise. When the region becomes passive the
 * role drains and stops; what it does not finish is refused by its epoch, as after any reassignment. In a mesh of one region it just runs.
 */
export function inActiveRegion(role: RoleName, start: StartRole): StartRole {
  return async (config, logger) => {
    const activity = watchActivity(config, logger);
    if (activity === undefined) return start(config, logger);
    const states = new StateLog(logger);
    /** The last line about the active region, so that a repeat is not logged. */
    let told = '';
    /** Why the last start failed. After a failover the database may not take writes yet. */
    let failure = '';
    const waits = () =>
      activity.passive() ?? (failure === '' ? 'starting' : `starting; the last attempt failed: ${failure}`);
    let running: { close(): Promise<void> } = await startWaiting(role, config, waits);
    let active = false;
    let closing = false;
    let turning: Promise<void> = Promise.resolve();
    let retry: NodeJS.Timeout | undefined;

    const turn = async () => {
      const reason = activity.passive();
      if (closing || active === (reason === undefined)) return;
      const news = reason ?? 'this region is the active one; starting';
      if (news !== told) logger.info({ state: activity.state }, news);
      told = news;
      await running.close();
      active = false;
      if (reason !== undefined) {
        failure = '';
        states.end('starts', 'the role need not start any more');
      }
      if (reason === undefined) {
        try {
          running = await start(config, logger);
          active = true;
          failure = '';
          states.end('starts', 'the role has started');
          return;
        } catch (error) {
          failure = (error as Error).message;
          states.begin('starts', 'cannot start yet; trying again', { err: error });
          retry = setTimeout(again, RETRY_MS);
        }
      }
      running = await startWaiting(role, config, waits);
    };
    const again = () => {
      turning = turning.then(turn).then(
        () => states.end('changes', 'the role has changed over'),
        (error: Error) => {
          states.begin('changes', 'cannot change over; trying again', { err: error });
          if (!closing) retry = setTimeout(again, RETRY_MS);
        },
      );
    };
    activity.onChange(again);
    return {
      addresses: {
        admin: adminUrl(config, role).origin,
      },
      async close() {
        closing = true;
        clearTimeout(retry);
        await activity.close();
        await turning;
        await running.close();
      },
    };
  };
}

/** Holds the admin port while there is nothing to do. */
function startWaiting(role: RoleName, config: Config, waits: () => string) {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  new Gauge({
    name: 'ordermesh_region_role_waits',
    help: '1 while the role waits because its region is not the active one: it has no partitions then.',
    registers: [registry],
  }).set(1);
  return openAdminPort(role, config, { metrics: registry, readiness: { region: waits } });
}
