/** The room's door: what other rooms import. */
export { startWorker, type WorkerRole } from './roles.ts';
