// The payment role: the worker, and the webhooks of the provider beside it. Started by ../roles.ts.

import type { RunningRole } from '../../contracts/roles.ts';
import { startWorkerRole, type WorkerRoleOptions } from '../../runtime/index.ts';
import { runningRole } from '../../telemetry/running-role.ts';

/** A worker that listens for the provider's webhooks too, where it has a secret for them. */
export async function startPayment(options: WorkerRoleOptions): Promise<RunningRole> {
  const { config, logger } = options;
  if (config.STRIPE_WEBHOOK_SECRET === undefined) return await startWorkerRole(options);
  const { startWebhooks } = await import('./webhooks/webhooks.ts');
  await using started = new AsyncDisposableStack();
  const webhooks = started.adopt(await startWebhooks(config, config.STRIPE_WEBHOOK_SECRET, logger), (one) =>
    one.close(),
  );
  const { registry, readiness } = webhooks;
  const worker = await startWorkerRole({ ...options, beside: { registry, readiness: { webhooks: readiness } } });
  started.defer(() => worker.close());
  return runningRole({ ...worker.addresses, webhooks: webhooks.url }, started.move());
}
