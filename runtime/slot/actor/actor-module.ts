import type { Registry } from 'prom-client';
import { withDeadline } from '../../../contracts/deadline.ts';
import type { Actor, ActorModule } from '../../actor.ts';
import { systemTimers } from '../../timers.ts';
import { ActorContractError, checkActor, thrown } from './actor-checks.ts';

/** What a thread needs to create its actor. */
export interface ActorSource {
  /** `file:` URL of the module that exports `createActor`. */
  actorModule: string;
  settings: unknown;
  slot: number;
}

/**
 * Imports the actor's module and creates the actor.
 * @throws with the name of the module: when the import fails, when it exports no `createActor`, or when that throws, takes longer than
 *   `msMax` or returns no actor
 */
export async function createActorOf(
  { actorModule, settings, slot }: ActorSource,
  registry: Registry,
  msMax: number,
): Promise<Actor<unknown, unknown>> {
  const create = async () => {
    const { createActor } = await imported(actorModule);
    try {
      return await createActor({ settings, slot, registry });
    } catch (error) {
      throw new Error(`createActor() of ${actorModule} failed: ${thrown('createActor', error).message}`, {
        cause: error,
      });
    }
  };
  const late = () => new ActorContractError(`createActor() of ${actorModule} was not done after ${msMax / 1_000} s`);
  return checkActor(await withDeadline(systemTimers, msMax, create(), late), actorModule);
}

async function imported(actorModule: string): Promise<ActorModule> {
  let module: Partial<ActorModule>;
  try {
    module = await import(actorModule);
  } catch (error) {
    throw new Error(`the actor module ${actorModule} can't be imported: ${thrown('import', error).message}`, {
      cause: error,
    });
  }
  const { createActor } = module;
  if (typeof createActor !== 'function')
    throw new ActorContractError(
      `${actorModule} must export createActor(context): export function createActor({ settings }) { return { decode, … }; }`,
    );
  return { createActor };
}
