import { createActor as createKitchen } from '../../actors/kitchen/actor.ts';
import { createActor as createValidator } from '../../actors/order-validator/actor.ts';
import type { ValidatorSettings } from '../../actors/order-validator/settings.ts';
import { createActor as createPayment } from '../../actors/payment/actor.ts';
import type { PaymentSettings } from '../../actors/payment/settings.ts';
import type { WorkerRole } from '../../actors/roles.ts';
import type { Actor, ActorContext } from '../../runtime/actor.ts';

/** The settings of each role's actor. */
export interface RoleSettings {
  'order-validator': ValidatorSettings;
  payment: PaymentSettings;
  kitchen: object;
}

export interface RenamedTopicsSettings {
  role: WorkerRole;
  settings: unknown;
  /** New names of the topics that the actor writes to. */
  topics: Record<string, string>;
}

/** One of the product's actors on topics of a test's own, so that several tests can share a broker. */
export async function createActor(context: ActorContext<RenamedTopicsSettings>): Promise<Actor<unknown, unknown>> {
  const { role, settings, topics } = context.settings;
  const actor = await createRole(role, { ...context, settings });
  return {
    ...actor,
    async apply(items, sql) {
      const outputs = (await actor.apply?.(items, sql)) ?? [];
      return outputs.map((records) =>
        records.map((record) => ({ ...record, topic: topics[record.topic] ?? record.topic })),
      );
    },
  };
}

async function createRole(role: WorkerRole, context: ActorContext<unknown>): Promise<Actor<unknown, unknown>> {
  switch (role) {
    case 'order-validator':
      return createValidator({ ...context, settings: context.settings as ValidatorSettings }) as Actor<
        unknown,
        unknown
      >;
    case 'payment':
      return (await createPayment({ ...context, settings: context.settings as PaymentSettings })) as Actor<
        unknown,
        unknown
      >;
    case 'kitchen':
      return createKitchen(context) as Actor<unknown, unknown>;
  }
}
